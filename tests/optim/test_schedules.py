"""Schedules: their shapes, and torch's own where it has the same."""

from __future__ import annotations

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR

from s2s_lit.optim.schedules import ConstantSchedule, CosineSchedule, InverseSquareRootSchedule, Schedule
from support.parts import concrete_subclasses

SCHEDULES = concrete_subclasses(Schedule, "s2s_lit.optim")


@pytest.mark.parametrize("cls", SCHEDULES, ids=lambda cls: cls.__name__)
def test_factors_lie_in_the_unit_interval_and_reach_one_after_the_warm_up(cls: type) -> None:
    factors = [cls(100, warmup_steps=10).factor(step) for step in range(120)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert factors[:10] == sorted(factors[:10])
    assert max(factors) == pytest.approx(1, abs=0.06)
    assert 9 <= factors.index(max(factors)) <= 10


def test_constant() -> None:
    assert [ConstantSchedule(5).factor(step) for step in (0, 4, 99)] == [1, 1, 1]


def test_cosine_is_torchs() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    torchs = CosineAnnealingLR(optimizer, T_max=20, eta_min=0.1)
    ours = CosineSchedule(20, final_factor=0.1)
    for step in range(20):
        assert ours.factor(step) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        torchs.step()
    assert ours.factor(1000) == pytest.approx(0.1)


def test_inverse_square_root_halves_in_four_times_the_steps() -> None:
    schedule = InverseSquareRootSchedule(1, warmup_steps=100)
    assert schedule.factor(399) == pytest.approx(0.5)
    assert schedule.factor(1599) == pytest.approx(0.25)
