"""Schedules: their shapes, against torch's own where it has the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

from s2s_lit.errors import UserError
from s2s_lit.optim.plateau import PlateauSchedule
from s2s_lit.optim.schedules import (
    ConstantSchedule,
    CosineSchedule,
    ExponentialSchedule,
    InverseSquareRootSchedule,
    OneCycleSchedule,
    Schedule,
)
from s2s_lit.optim.step_schedules import LuongSchedule, StepSchedule

SAME: list[tuple[Schedule, Callable[[SGD], LRScheduler]]] = [
    (CosineSchedule(20, final_factor=0.1), lambda optimizer: CosineAnnealingLR(optimizer, T_max=20, eta_min=0.1)),
    (ExponentialSchedule(20, final_factor=0.05), lambda optimizer: ExponentialLR(optimizer, gamma=0.05 ** (1 / 20))),
    (StepSchedule(20, interval=0.2, ratio=0.3), lambda optimizer: StepLR(optimizer, step_size=4, gamma=0.3)),
    (
        OneCycleSchedule(20, rise=0.35, start_factor=0.05, final_factor=1e-3),
        lambda optimizer: OneCycleLR(
            optimizer, 1.0, total_steps=20, pct_start=0.35, div_factor=20, final_div_factor=50, cycle_momentum=False
        ),
    ),
    (
        OneCycleSchedule(20),  # torch's defaults
        lambda optimizer: OneCycleLR(optimizer, 1.0, total_steps=20, cycle_momentum=False),
    ),
]


@pytest.mark.parametrize(("ours", "make"), SAME, ids=lambda value: type(value).__name__)
def test_is_torchs(ours: Schedule, make: Callable[[SGD], LRScheduler]) -> None:
    optimizer = SGD([torch.zeros(1)], lr=1.0)
    torchs = make(optimizer)
    for step in range(20):
        assert ours.factor(step) == pytest.approx(optimizer.param_groups[0]["lr"]), step
        optimizer.step()
        if step < 19:
            torchs.step()


@pytest.mark.parametrize("patience", [0, 1, 3])
def test_plateau_is_torchs(patience: int) -> None:
    optimizer = SGD([torch.zeros(1)], lr=1.0)
    options = {"patience": patience, "threshold": 0.01}
    torchs = ReduceLROnPlateau(optimizer, factor=0.4, min_lr=0.05, **options)
    ours = PlateauSchedule(1, ratio=0.4, final_factor=0.05, **options)
    falls = torch.rand(60, generator=torch.Generator().manual_seed(0)).tolist()
    for number, draw in enumerate(falls):
        loss = 5 / (1 + number) ** 0.5 + draw
        ours.observe(loss)
        torchs.step(loss)
        assert ours.factor(number) == pytest.approx(optimizer.param_groups[0]["lr"])
    assert ours.factor(60) == 0.05


def test_plateau_does_not_take_what_is_no_number_for_better() -> None:
    schedule = PlateauSchedule(1, patience=0)
    for loss in (2.0, float("nan")):
        schedule.observe(loss)
    assert schedule.factor(0) == 0.5
    assert schedule.best == 2.0


def test_constant() -> None:
    assert [ConstantSchedule(5).factor(step) for step in (0, 4, 99)] == [1, 1, 1]


def test_inverse_square_root_halves_in_four_times_the_steps() -> None:
    schedule = InverseSquareRootSchedule(1, warmup_steps=99)
    assert schedule.factor(399) == pytest.approx(0.5)
    assert schedule.factor(1599) == pytest.approx(0.25)


@pytest.mark.parametrize("warmup_steps", [0, 1, 10])
def test_inverse_square_root_peaks_at_one(warmup_steps: int) -> None:
    schedule = InverseSquareRootSchedule(1, warmup_steps=warmup_steps)
    assert schedule.factor(warmup_steps) == 1
    assert all(schedule.factor(step) < 1 for step in range(50) if step != warmup_steps)


def test_luongs_ten_epochs() -> None:
    schedule = LuongSchedule(10 * 30)  # 30 steps an epoch
    per_epoch = [{schedule.factor(30 * epoch + step) for step in range(30)} for epoch in range(10)]
    assert per_epoch == [{1.0}] * 5 + [{0.5**n} for n in range(1, 6)]


def test_luongs_twelve_epochs_with_dropout() -> None:
    schedule = LuongSchedule(12 * 30, start=2 / 3, halvings=4)
    per_epoch = [{schedule.factor(30 * epoch + step) for step in range(30)} for epoch in range(12)]
    assert per_epoch == [{1.0}] * 8 + [{0.5**n} for n in range(1, 5)]


@pytest.mark.parametrize("total", [20, 23, 187, 1_876])
def test_all_of_luongs_halvings_fit_any_budget(total: int) -> None:
    assert LuongSchedule(total, start=0.6, halvings=5).factor(total - 1) == 0.5**5


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: StepSchedule(10, interval=0), "interval"),
        (lambda: LuongSchedule(10, start=5), "start"),
        (lambda: ExponentialSchedule(10, final_factor=0), "final_factor"),
        (lambda: OneCycleSchedule(10, rise=30), "rise"),
        (lambda: PlateauSchedule(10, ratio=2), "ratio"),
    ],
)
def test_a_share_that_is_none_is_refused(make: Callable[[], Schedule], key: str) -> None:
    with pytest.raises(UserError, match=rf"task\.schedule\.{key} .* above 0 and at most 1"):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PlateauSchedule(10, patience=-1), "patience must be at least 0, not -1"),
        (lambda: LuongSchedule(10, halvings=0), "halvings must be at least 1, not 0"),
        (lambda: CosineSchedule(10, final_factor=-1), "final_factor must be at least 0, not -1"),
        (lambda: PlateauSchedule(10, final_factor=-1), "final_factor must be at least 0, not -1"),
        (lambda: OneCycleSchedule(10, start_factor=-1), "start_factor must be at least 0, not -1"),
        (lambda: OneCycleSchedule(10, final_factor=-1), "final_factor must be at least 0, not -1"),
    ],
)
def test_what_is_too_small_is_refused(make: Callable[[], Schedule], message: str) -> None:
    with pytest.raises(UserError, match=rf"task\.schedule\.{message}"):
        make()
