"""Tasks that can be trained without a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch

from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.fields.text import TextField
from s2s_lit.decoding.greedy import GreedySearch
from s2s_lit.losses.token import TokenNLL
from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.nn.attention.additive import AdditiveAttention
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.recurrent import LSTM
from s2s_lit.tasks.optimization import OptimizerFactory
from s2s_lit.tasks.translation import TranslationTask
from s2s_lit.text.symbols import Symbols, SymbolTokenizer
from s2s_lit.text.vocabulary import SPECIALS, Vocabulary

PLAIN = partial(torch.optim.SGD, lr=1.0)


def attentive_model(vocab_size: int, size: int, dropout: float = 0.0) -> Seq2Seq:
    """LSTMs with additive attention, all of one size."""
    layers = partial(LSTM, hidden_size=size)
    attention = partial(AdditiveAttention, attention_size=size)
    return Seq2Seq(
        {"source": vocab_size, "target": vocab_size},
        embedding_size=size,
        encoder=partial(RecurrentEncoder, recurrence=layers, dropout=dropout),
        decoder=partial(RecurrentDecoder, recurrence=layers, attention=attention, feature_size=size),
    )


def fields_of(tokens: Sequence[str], *names: str) -> Fields:
    """Text fields that share one vocabulary of symbols; `source` and `target` by default."""
    fields = Fields({name: TextField() for name in names or ("source", "target")}, tokenizer=Symbols())
    tokenizer = SymbolTokenizer(Vocabulary([*SPECIALS, *tokens]))
    for field in fields.text_fields.values():
        field.tokenizer = tokenizer
    return fields


def task_of(model: Seq2Seq, optimizer: OptimizerFactory = PLAIN, **settings: Any) -> TranslationTask:
    """A task whose tokens are numbers."""
    search = GreedySearch()
    size = model.output.layer.out_features
    return TranslationTask(
        model,
        fields_of([str(n) for n in range(len(SPECIALS), size)]),
        loss=TokenNLL(),
        optimizer=optimizer,
        search=search,
        validation_search=search,
        **settings,
    )
