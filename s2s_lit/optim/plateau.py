"""A learning-rate schedule that depends on validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from s2s_lit.checks import at_least, share, within
from s2s_lit.optim.schedules import Schedule, warmup


class PlateauSchedule(Schedule):
    """Multiplied by `ratio` when the validation loss has stopped falling.

    A loss is better if it is below best * (1 - threshold); after more than `patience` validations in a row without a
    better one the factor falls, and the counting begins again. A fall works from the second step after the validation.

    Args:
        total_steps: Optimizer steps of the whole training (given by the trainer).
        warmup_steps: Steps in which the factor rises linearly to one.
        ratio: The factor after a fall over the factor before it.
        patience: Validations without a better loss that change nothing.
        threshold: Share of the best loss by which a better one must be below it.
        final_factor: The factor does not fall below this.
    """

    def __init__(
        self,
        total_steps: int,
        *,
        warmup_steps: int = 0,
        ratio: float = 0.5,
        patience: int = 1,
        threshold: float = 1e-4,
        final_factor: float = 0.0,
    ) -> None:
        self.warmup_steps = at_least("task.schedule.warmup_steps", warmup_steps, 0)
        self.ratio = share("task.schedule.ratio", ratio)
        self.patience = at_least("task.schedule.patience", patience, 0)
        self.threshold = within("task.schedule.threshold", threshold, 0, 1)
        self.final_factor = at_least("task.schedule.final_factor", final_factor, 0)
        self.best = math.inf
        self.waited = 0
        self.fallen = 1.0

    def observe(self, loss: float) -> None:
        if loss < self.best * (1 - self.threshold):
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited > self.patience:
            self.fallen, self.waited = max(self.fallen * self.ratio, self.final_factor), 0

    def factor(self, step: int) -> float:
        return warmup(step, self.warmup_steps) * self.fallen

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "waited": self.waited, "fallen": self.fallen}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.best, self.waited, self.fallen = state["best"], state["waited"], state["fallen"]
