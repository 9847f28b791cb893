"""Activation penalties against sums written out."""

from __future__ import annotations

import torch

from s2s_lit.losses.activation import ActivationRegularization, TemporalActivationRegularization
from s2s_lit.types import Decoded, DecoderState

LENGTHS = (4, 1, 3)
HIDDEN = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.double)
MASK = torch.arange(4) < torch.tensor(LENGTHS).unsqueeze(1)
PENALTIES = [ActivationRegularization(weight=0.7), TemporalActivationRegularization(weight=0.7)]


def decoded(hidden: torch.Tensor) -> Decoded:
    return Decoded(features=hidden, hidden=hidden, weights=None, state=DecoderState())


def test_activation_is_the_mean_square_of_each_real_state() -> None:
    expected = sum((HIDDEN[b, t] ** 2).mean() for b, length in enumerate(LENGTHS) for t in range(length))
    torch.testing.assert_close(PENALTIES[0](decoded(HIDDEN), MASK), 0.7 * expected)


def test_temporal_activation_is_the_mean_square_of_each_change_between_real_states() -> None:
    steps = [HIDDEN[b, t + 1] - HIDDEN[b, t] for b, length in enumerate(LENGTHS) for t in range(length - 1)]
    torch.testing.assert_close(PENALTIES[1](decoded(HIDDEN), MASK), 0.7 * sum((step**2).mean() for step in steps))
