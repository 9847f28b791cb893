"""Learning-rate schedules: the factor on the optimizer's learning rate at each optimizer step.

This file has those that follow a curve, `step_schedules.py` those that fall by steps, and `plateau.py` the one that
depends on validation. Where a schedule needs a length it is a share of the training, so that it fits any budget.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from s2s_lit.checks import at_least, share


class Schedule(ABC):
    """A factor on the learning rate. The counter starts at 0 with the first optimizer step."""

    @abstractmethod
    def factor(self, step: int) -> float:
        """The factor at a step. Past the end of the training it is that of the end."""

    def observe(self, loss: float) -> None:
        """Is given the loss of each validation, in nats per token; most schedules do not use it."""
        return

    def state_dict(self) -> dict[str, Any]:
        """What was observed, for a training that is resumed; settings come from the configuration."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state_dict` gave."""
        return


def warmup(step: int, warmup_steps: int) -> float:
    """Rises linearly and is one from `warmup_steps` on."""
    return min((step + 1) / (warmup_steps + 1), 1.0) if warmup_steps else 1.0


def progress(step: int, warmup_steps: int, total_steps: int) -> float:
    """The share of the steps after the warm-up that has passed, at most one."""
    return min(max(step - warmup_steps, 0) / max(total_steps - warmup_steps, 1), 1.0)


class ConstantSchedule(Schedule):
    """The optimizer's learning rate throughout, after a linear warm-up.

    Args:
        total_steps: Optimizer steps of the whole training (given by the trainer).
        warmup_steps: Steps in which the factor rises linearly to one.
    """

    def __init__(self, total_steps: int, *, warmup_steps: int = 0) -> None:
        self.warmup_steps = at_least("task.schedule.warmup_steps", warmup_steps, 0)

    def factor(self, step: int) -> float:
        return warmup(step, self.warmup_steps)


class CosineSchedule(Schedule):
    """From one down to `final_factor` along half a cosine (Loshchilov & Hutter 2017, equation 5, one period).

    Args:
        total_steps: Optimizer steps of the whole training (given by the trainer).
        warmup_steps: Steps in which the factor rises linearly to one.
        final_factor: The factor at the end, one step after the last.
    """

    def __init__(self, total_steps: int, *, warmup_steps: int = 0, final_factor: float = 0.0) -> None:
        self.total_steps = total_steps
        self.warmup_steps = at_least("task.schedule.warmup_steps", warmup_steps, 0)
        self.final_factor = at_least("task.schedule.final_factor", final_factor, 0)

    def factor(self, step: int) -> float:
        if step < self.warmup_steps:
            return warmup(step, self.warmup_steps)
        passed = progress(step, self.warmup_steps, self.total_steps)
        return self.final_factor + (1 - self.final_factor) * (1 + math.cos(math.pi * passed)) / 2


class ExponentialSchedule(Schedule):
    """From one down to `final_factor`, in each step by the same ratio: final_factor ** (share of the training passed).

    Args:
        total_steps: Optimizer steps of the whole training (given by the trainer).
        warmup_steps: Steps in which the factor rises linearly to one.
        final_factor: The factor at the end, one step after the last; above zero.
    """

    def __init__(self, total_steps: int, *, warmup_steps: int = 0, final_factor: float = 0.05) -> None:
        self.total_steps = total_steps
        self.warmup_steps = at_least("task.schedule.warmup_steps", warmup_steps, 0)
        self.final_factor = share("task.schedule.final_factor", final_factor)

    def factor(self, step: int) -> float:
        rising = warmup(step, self.warmup_steps)
        return rising * self.final_factor ** progress(step, self.warmup_steps, self.total_steps)


class InverseSquareRootSchedule(Schedule):
    """Linear warm-up to one, then sqrt((warmup_steps + 1) / (step + 1)) (Vaswani 2017, section 5.3, scaled).

    Args:
        total_steps: Optimizer steps of the whole training (given by the trainer).
        warmup_steps: Steps in which the factor rises linearly to one.
    """

    def __init__(self, total_steps: int, *, warmup_steps: int = 400) -> None:
        self.warmup_steps = at_least("task.schedule.warmup_steps", warmup_steps, 0)

    def factor(self, step: int) -> float:
        return min(warmup(step, self.warmup_steps), math.sqrt((self.warmup_steps + 1) / (step + 1)))


class OneCycleSchedule(Schedule):
    """Up from `start_factor` to one and down to `final_factor`, each along half a cosine (Smith & Topin 2018).

    The optimizer's learning rate is the peak. Momentum stays as it is.

    Args:
        total_steps: Optimizer steps of the whole training (given by the trainer).
        rise: Share of the training in which the factor rises.
        start_factor: The factor at the first step.
        final_factor: The factor at the last step.
    """

    def __init__(
        self, total_steps: int, *, rise: float = 0.3, start_factor: float = 0.04, final_factor: float = 4e-6
    ) -> None:
        self.last_step = total_steps - 1
        self.peak_step = share("task.schedule.rise", rise) * total_steps - 1
        self.start_factor = at_least("task.schedule.start_factor", start_factor, 0)
        self.final_factor = at_least("task.schedule.final_factor", final_factor, 0)

    def factor(self, step: int) -> float:
        if step <= self.peak_step:
            return _half_cosine(self.start_factor, 1.0, step / max(self.peak_step, 1))
        passed = (step - self.peak_step) / max(self.last_step - self.peak_step, 1)
        return _half_cosine(1.0, self.final_factor, min(passed, 1.0))


def _half_cosine(start: float, end: float, passed: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * passed)) / 2


ScheduleFactory = Callable[[int], Schedule]
"""Makes a schedule from (total_steps)."""
