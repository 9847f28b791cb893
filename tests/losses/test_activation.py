"""Activation penalties against sums written out."""

from __future__ import annotations

import torch

from s2s_lit.losses.activation import ActivationRegularization, TemporalActivationRegularization
from support.outputs import batch_of_lengths, output_of

LENGTHS = (4, 1, 3)
HIDDEN = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.double)
BATCH = batch_of_lengths(torch.tensor(LENGTHS), 4)
PENALTIES = [ActivationRegularization(weight=0.7), TemporalActivationRegularization(weight=0.7)]


def test_activation_is_the_mean_square_of_each_real_state() -> None:
    expected = sum((HIDDEN[b, t] ** 2).mean() for b, length in enumerate(LENGTHS) for t in range(length))
    torch.testing.assert_close(PENALTIES[0](output_of(hidden=HIDDEN), BATCH), 0.7 * expected)


def test_temporal_activation_is_the_mean_square_of_each_change_between_real_states() -> None:
    steps = [HIDDEN[b, t + 1] - HIDDEN[b, t] for b, length in enumerate(LENGTHS) for t in range(length - 1)]
    torch.testing.assert_close(
        PENALTIES[1](output_of(hidden=HIDDEN), BATCH), 0.7 * sum((step**2).mean() for step in steps)
    )
