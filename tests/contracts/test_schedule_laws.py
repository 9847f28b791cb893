"""Laws of every schedule; the schedules are found in the package, so that a new one cannot miss them."""

from __future__ import annotations

import inspect
import math

import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

from s2s_lit.errors import UserError
from s2s_lit.optim.schedules import Schedule
from support.parts import concrete_subclasses

SCHEDULES = concrete_subclasses(Schedule, "s2s_lit.optim")
WARMED = [kind for kind in SCHEDULES if "warmup_steps" in inspect.signature(kind).parameters]
ENDING = [kind for kind in SCHEDULES if any(kind(50).factor(s) != kind(5_000).factor(s) for s in range(50))]
"""Those that ask how long the training is."""
LOSSES = [3.0, 2.0, 2.5, 2.4, 2.3, 2.2, 1.9, 1.9, 1.9, 1.9]


@pytest.fixture(params=SCHEDULES, ids=lambda cls: cls.__name__)
def kind(request: pytest.FixtureRequest) -> type[Schedule]:
    return request.param


def factors(schedule: Schedule, steps: range, every: int = 10) -> list[float]:
    """The factors of the steps, with a validation after every tenth."""
    found = []
    for step in steps:
        found.append(schedule.factor(step))
        if (step + 1) % every == 0:
            schedule.observe(LOSSES[step // every % len(LOSSES)])
    return found


def test_options_are_keywords_with_defaults_and_documented(kind: type[Schedule]) -> None:
    total, *options = inspect.signature(kind).parameters.values()
    assert total.name == "total_steps"
    described = inspect.getdoc(kind).partition("Args:")[2]
    assert "total_steps:" in described
    for option in options:
        assert option.kind is option.KEYWORD_ONLY
        assert option.default is not option.empty
        assert f"{option.name}:" in described


@pytest.mark.parametrize("total", [1, 2, 7, 100, 1_000])
def test_factors_lie_between_zero_and_one(kind: type[Schedule], total: int) -> None:
    found = factors(kind(total), range(total + 20))
    assert all(0 < factor <= 1 or step >= total for step, factor in enumerate(found))
    assert all(0 <= factor <= 1 and math.isfinite(factor) for factor in found)


def test_the_optimizers_learning_rate_is_reached(kind: type[Schedule]) -> None:
    assert max(factors(kind(1_000), range(1_000))) == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("kind", WARMED)
def test_a_warm_up_rises_linearly_and_then_comes_the_peak(kind: type[Schedule]) -> None:
    found = factors(kind(1_000, warmup_steps=9), range(1_000), every=100)
    assert found[:9] == pytest.approx([n / 10 for n in range(1, 10)])
    assert max(found) == pytest.approx(max(found[9:11]), rel=0.06)


@pytest.mark.parametrize("kind", WARMED)
def test_a_warm_up_before_the_start_is_refused(kind: type[Schedule]) -> None:
    with pytest.raises(UserError, match=r"task\.schedule\.warmup_steps must be at least 0, not -1"):
        kind(1_000, warmup_steps=-1)


@pytest.mark.parametrize("kind", ENDING)
def test_the_end_lasts(kind: type[Schedule]) -> None:
    schedule = kind(50)
    assert schedule.factor(60) == schedule.factor(5_000)
    assert schedule.factor(60) <= schedule.factor(49)


@pytest.mark.parametrize("cut", [1, 35, 95])
def test_a_resumed_training_goes_on_as_if_it_had_not_stopped(kind: type[Schedule], cut: int) -> None:
    def scheduled() -> tuple[torch.optim.Optimizer, Schedule, LambdaLR]:
        groups = [{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)], "lr": 0.5}]
        optimizer, schedule = torch.optim.SGD(groups, lr=2.0), kind(100)
        return optimizer, schedule, LambdaLR(optimizer, lambda step: schedule.factor(step))

    def rates(steps: range, optimizer: torch.optim.Optimizer, schedule: Schedule, lambdas: LambdaLR) -> list[list]:
        found = []
        for step in steps:
            found.append([group["lr"] for group in optimizer.param_groups])
            optimizer.step()
            lambdas.step()
            if (step + 1) % 10 == 0:
                schedule.observe(LOSSES[step // 10])
        return found

    whole = rates(range(100), *scheduled())
    before, after = scheduled(), scheduled()
    first = rates(range(cut), *before)
    after[0].load_state_dict(before[0].state_dict())
    after[1].load_state_dict(before[1].state_dict())
    after[2].load_state_dict(before[2].state_dict())
    assert first + rates(range(cut, 100), *after) == whole
    assert all(base == pytest.approx(4 * other) for base, other in whole)  # the schedule holds for all groups


@pytest.mark.parametrize("cut", [1, 35, 95])
def test_a_training_that_is_made_longer_has_the_factors_of_the_longer_one(kind: type[Schedule], cut: int) -> None:
    """What was observed goes on; how long the training is, is what it is resumed with."""
    shorter, whole, longer = kind(100), kind(200), kind(200)
    factors(shorter, range(cut))
    expected = factors(whole, range(200))[cut:]
    longer.load_state_dict(shorter.state_dict())
    assert factors(longer, range(cut, 200)) == expected
