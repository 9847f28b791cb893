"""Tasks that can be trained without a corpus."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import torch

from s2s_lit.decoding.greedy import GreedySearch
from s2s_lit.losses.token import TokenNLL
from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.nn.attention.additive import AdditiveAttention
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.recurrent import LSTM
from s2s_lit.tasks.base import OptimizerFactory
from s2s_lit.tasks.translation import TranslationTask

PLAIN = partial(torch.optim.SGD, lr=1.0)


def attentive_model(vocab_size: int, size: int, dropout: float = 0.0) -> Seq2Seq:
    """LSTMs with additive attention, all of one size."""
    layers = partial(LSTM, hidden_size=size)
    attention = partial(AdditiveAttention, attention_size=size)
    return Seq2Seq(
        vocab_size,
        vocab_size,
        embedding_size=size,
        encoder=partial(RecurrentEncoder, recurrence=layers, dropout=dropout),
        decoder=partial(RecurrentDecoder, recurrence=layers, attention=attention, feature_size=size),
    )


def task_of(model: Seq2Seq, optimizer: OptimizerFactory = PLAIN, **settings: Any) -> TranslationTask:
    """A task that has no tokenizers: it can learn, not translate."""
    search = GreedySearch()
    return TranslationTask(
        model,
        cast(Any, object()),
        loss=TokenNLL(),
        optimizer=optimizer,
        search=search,
        validation_search=search,
        **settings,
    )
