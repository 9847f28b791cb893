"""Learning-rate schedules that fall by steps."""

from __future__ import annotations

from s2s_lit.checks import at_least, share
from s2s_lit.optim.schedules import Schedule, warmup


class StepSchedule(Schedule):
    """Multiplied by `ratio` after each `interval` of the training.

        factor = ratio ** floor((step - warmup_steps) / steps of an interval)

    Args:
        total_steps: Optimizer steps of the whole training (given by the trainer).
        warmup_steps: Steps in which the factor rises linearly to one.
        interval: Share of the training after the warm-up between two falls.
        ratio: The factor after a fall over the factor before it.
    """

    def __init__(self, total_steps: int, *, warmup_steps: int = 0, interval: float = 0.25, ratio: float = 0.5) -> None:
        self.last_step = total_steps - 1
        self.warmup_steps = at_least("task.schedule.warmup_steps", warmup_steps, 0)
        self.interval_steps = max(round(share("task.schedule.interval", interval) * (total_steps - warmup_steps)), 1)
        self.ratio = share("task.schedule.ratio", ratio)

    def factor(self, step: int) -> float:
        falls = max(min(step, self.last_step) - self.warmup_steps, 0) // self.interval_steps
        return warmup(step, self.warmup_steps) * self.ratio**falls


class LuongSchedule(Schedule):
    """One until `start`, then halved `halvings` times at even distances (Luong 2015, section 4.1).

    Luong trains for 10 epochs and halves after each epoch from the fifth on: 5 halvings from a half on, the defaults;
    with dropout for 12 epochs, halving from the eighth on: 4 halvings from 0.667 on.

    Args:
        total_steps: Optimizer steps of the whole training (given by the trainer).
        warmup_steps: Steps in which the factor rises linearly to one.
        start: Share of the training after which it is halved for the first time.
        halvings: How often it is halved, at least once; the last value lasts until the end.
    """

    def __init__(self, total_steps: int, *, warmup_steps: int = 0, start: float = 0.5, halvings: int = 5) -> None:
        self.warmup_steps = at_least("task.schedule.warmup_steps", warmup_steps, 0)
        self.start_step = round(share("task.schedule.start", start) * total_steps)
        self.halvings = at_least("task.schedule.halvings", halvings, 1)
        self.interval_steps = max((total_steps - self.start_step) // halvings, 1)

    def factor(self, step: int) -> float:
        done = min((step - self.start_step) // self.interval_steps + 1, self.halvings)
        return warmup(step, self.warmup_steps) * 0.5 ** max(done, 0)
