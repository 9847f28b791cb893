"""Activation penalties against sums written out."""

from __future__ import annotations

import pytest
import torch

from s2s_lit.losses.activation import ActivationRegularization, TemporalActivationRegularization
from s2s_lit.losses.penalty import Penalty
from s2s_lit.types import Decoded, DecoderState

LENGTHS = (4, 1, 3)
HIDDEN = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.double)
MASK = torch.arange(4) < torch.tensor(LENGTHS).unsqueeze(1)
PENALTIES = [ActivationRegularization(weight=0.7), TemporalActivationRegularization(weight=0.7)]
each_penalty = pytest.mark.parametrize("penalty", PENALTIES, ids=lambda penalty: penalty.name)


def decoded(hidden: torch.Tensor) -> Decoded:
    return Decoded(features=hidden, hidden=hidden, weights=None, state=DecoderState())


def test_activation_is_the_mean_square_of_each_real_state() -> None:
    expected = sum((HIDDEN[b, t] ** 2).mean() for b, length in enumerate(LENGTHS) for t in range(length))
    torch.testing.assert_close(PENALTIES[0](decoded(HIDDEN), MASK), 0.7 * expected)


def test_temporal_activation_is_the_mean_square_of_each_change_between_real_states() -> None:
    steps = [HIDDEN[b, t + 1] - HIDDEN[b, t] for b, length in enumerate(LENGTHS) for t in range(length - 1)]
    torch.testing.assert_close(PENALTIES[1](decoded(HIDDEN), MASK), 0.7 * sum((step**2).mean() for step in steps))


@each_penalty
def test_padding_counts_nothing_and_gets_no_gradient(penalty: Penalty) -> None:
    padded = HIDDEN.masked_fill(~MASK.unsqueeze(2), torch.nan).requires_grad_()
    value = penalty(decoded(padded), MASK)
    assert torch.equal(value, penalty(decoded(HIDDEN), MASK))
    value.backward()
    assert padded.grad is not None
    assert (padded.grad[~MASK] == 0).all()


@each_penalty
def test_a_batch_is_the_sum_of_its_sentences(penalty: Penalty) -> None:
    alone = sum(penalty(decoded(HIDDEN[b : b + 1, :n]), MASK[b : b + 1, :n]) for b, n in enumerate(LENGTHS))
    torch.testing.assert_close(penalty(decoded(HIDDEN), MASK), alone)
