"""Learning-rate schedules: the factor on the optimizer's learning rate at each optimizer step."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable


class Schedule(ABC):
    """A factor on the learning rate. The counter starts at 0 with the first optimizer step."""

    @abstractmethod
    def factor(self, step: int) -> float: ...


class ConstantSchedule(Schedule):
    """The optimizer's learning rate throughout, after a linear warm-up.

    Args:
        total_steps: optimizer steps of the whole training (given by the trainer).
        warmup_steps: steps in which the factor rises linearly to one.
    """

    def __init__(self, total_steps: int, *, warmup_steps: int = 0) -> None:
        self.warmup_steps = warmup_steps

    def factor(self, step: int) -> float:
        return _warmup(step, self.warmup_steps)


class CosineSchedule(Schedule):
    """From one down to `final_factor` along half a cosine (Loshchilov & Hutter 2017, equation 5, one period).

    Args:
        total_steps: optimizer steps of the whole training (given by the trainer).
        warmup_steps: steps in which the factor rises linearly to one.
        final_factor: the factor at the last step.
    """

    def __init__(self, total_steps: int, *, warmup_steps: int = 0, final_factor: float = 0.0) -> None:
        self.total_steps = total_steps
        self.warmup_steps = warmup_steps
        self.final_factor = final_factor

    def factor(self, step: int) -> float:
        if step < self.warmup_steps:
            return _warmup(step, self.warmup_steps)
        progress = min((step - self.warmup_steps) / max(self.total_steps - self.warmup_steps, 1), 1.0)
        return self.final_factor + (1 - self.final_factor) * (1 + math.cos(math.pi * progress)) / 2


class InverseSquareRootSchedule(Schedule):
    """Linear warm-up, then sqrt(warmup_steps / step) (Vaswani 2017, section 5.3, scaled to peak at one).

    Args:
        total_steps: optimizer steps of the whole training (given by the trainer).
        warmup_steps: steps in which the factor rises linearly to one.
    """

    def __init__(self, total_steps: int, *, warmup_steps: int = 400) -> None:
        self.warmup_steps = max(warmup_steps, 1)

    def factor(self, step: int) -> float:
        return min(_warmup(step, self.warmup_steps), math.sqrt(self.warmup_steps / (step + 1)))


def _warmup(step: int, warmup_steps: int) -> float:
    return min((step + 1) / (warmup_steps + 1), 1.0) if warmup_steps else 1.0


ScheduleFactory = Callable[[int], Schedule]
"""Makes a schedule from (total_steps)."""
