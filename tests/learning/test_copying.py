"""Slow: a pointer copies tokens that were never a target in training; a linear output cannot."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from s2s_lit.decoding.greedy import GreedySearch
from s2s_lit.losses.token import TokenNLL
from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.nn.attention.additive import AdditiveAttention
from s2s_lit.nn.decoders.input_feeding import InputFeedingDecoder
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.outputs.linear import LinearOutput
from s2s_lit.nn.outputs.pointer import PointerOutput
from s2s_lit.nn.recurrent import GRU
from s2s_lit.types import EOS
from support.networks import batch_of

MARK = 4
"""The token that is to be copied stands behind it; the others are read over."""
KNOWN, NEW, VOCAB = range(5, 65), range(65, 85), 85
STEPS = 400


def sentences(seed: int, count: int, copied: range) -> list[tuple[list[int], list[int]]]:
    """Sources of tokens old and new with a mark, before one that is to be copied."""
    generator = torch.Generator().manual_seed(seed + 1)
    pairs = []
    for _ in range(count):
        length = int(torch.randint(3, 7, (1,), generator=generator))
        ids = torch.randint(KNOWN.start, NEW.stop, (length,), generator=generator).tolist()
        place = int(torch.randint(0, length, (1,), generator=generator))
        token = int(torch.randint(copied.start, copied.stop, (1,), generator=generator))
        pairs.append(([*ids[:place], MARK, token, *ids[place + 1 :], EOS], [token]))
    return pairs


def accuracies(output: type) -> tuple[float, float]:
    """Shares of 200 sources answered rightly, where the token was a target in training and where it never was."""
    torch.manual_seed(0)
    layers = partial(GRU, hidden_size=32)
    model = Seq2Seq(
        {"source": VOCAB, "target": VOCAB},
        embedding_size=32,
        encoder=partial(RecurrentEncoder, recurrence=layers, bidirectional=True),
        decoder=partial(InputFeedingDecoder, recurrence=layers, attention=AdditiveAttention, feature_size=32),
        output=output,
    )
    optimizer, loss = torch.optim.Adam(model.parameters(), lr=5e-3), TokenNLL()
    for step in range(STEPS):
        batch = batch_of(sentences(step, 32, KNOWN))
        result = loss(model(batch.inputs, batch.target), batch)
        (result.objective / result.count).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    model.eval()
    return share_right(model, KNOWN), share_right(model, NEW)


def share_right(model: Seq2Seq, copied: range) -> float:
    pairs = sentences(-1, 200, copied)
    batch = batch_of(pairs)
    found = GreedySearch()(model, batch.inputs)
    return sum(best[0].token_ids == target for best, (_, target) in zip(found, pairs, strict=True)) / len(pairs)


@pytest.mark.slow
def test_a_pointer_copies_what_was_never_a_target() -> None:
    known, new = accuracies(PointerOutput)
    assert known > 0.9
    assert new > 0.8
    _, without = accuracies(LinearOutput)
    assert without == 0
