"""Slow: networks learn what they should, and attention brings what it should."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from s2s_lit.decoding.greedy import GreedySearch
from s2s_lit.losses.token import TokenNLL
from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.nn.attention.additive import AdditiveAttention
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.recurrent import GRU
from s2s_lit.types import EOS
from support.networks import batch_of

SYMBOLS, LONGEST, STEPS = 20, 12, 1200


def reversal_accuracy(attention: type | None) -> float:
    """Share of 200 new sequences that a network returns reversed without a mistake, after `STEPS` steps."""
    torch.manual_seed(0)
    layers = partial(GRU, hidden_size=48)
    model = Seq2Seq(
        {"source": SYMBOLS, "target": SYMBOLS},
        embedding_size=32,
        encoder=partial(RecurrentEncoder, recurrence=layers, bidirectional=True),
        decoder=partial(RecurrentDecoder, recurrence=layers, attention=attention, feature_size=48),
    )
    optimizer, loss = torch.optim.Adam(model.parameters(), lr=5e-3), TokenNLL()
    for step in range(STEPS):
        batch = batch_of(sequences(step, 32))
        result = loss(model(batch.inputs, batch.target), batch)
        (result.objective / result.count).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    new = sequences(-1, 200)
    batch = batch_of(new)
    found = GreedySearch()(model.eval(), batch.inputs)
    return sum(best[0].token_ids == target for best, (_, target) in zip(found, new, strict=True)) / len(new)


def sequences(seed: int, count: int) -> list[tuple[list[int], list[int]]]:
    generator = torch.Generator().manual_seed(seed + 1)
    lengths = torch.randint(3, LONGEST + 1, (count,), generator=generator).tolist()
    drawn = [torch.randint(4, SYMBOLS, (n,), generator=generator).tolist() for n in lengths]
    return [([*ids, EOS], ids[::-1]) for ids in drawn]


@pytest.mark.slow
def test_attention_reverses_what_a_fixed_length_context_cannot_hold() -> None:
    with_attention, without = reversal_accuracy(AdditiveAttention), reversal_accuracy(None)
    assert with_attention > 0.9
    assert without < with_attention - 0.3
