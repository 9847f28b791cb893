"""Weight averaging: a mean of the weights along the training generalizes better than the last of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn, get_swa_multi_avg_fn

from s2s_lit.checks import at_least, below_one

Weights = dict[str, Tensor]
"""All floating-point values of a network by name: parameters and running statistics."""


class WeightAveraging(ABC):
    """A mean of the weights, which validation, the best checkpoint and the test use; training goes on with its own.

    What it holds is on the weights' device and lies in the checkpoints from which a training can be resumed. Every
    process of a training has the same weights after a step, and so the same mean.
    """

    def after_step(self, weights: Weights) -> None:
        """Is given the weights after each optimizer step. Copy what you keep: training changes them in place."""
        return

    def before_validation(self, weights: Weights) -> None:
        """Is given the weights before each validation."""
        return

    @abstractmethod
    def mean(self) -> Weights:
        """The mean; nothing as long as there is none, and the weights themselves are used."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]: ...

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class _RunningMean(WeightAveraging):
    """A mean that moves towards the present weights."""

    def __init__(self) -> None:
        self._steps = self._averaged = 0
        self._mean: Weights = {}

    def _move(self, weights: Weights, towards: Callable[[list[Tensor], list[Tensor], int], None]) -> None:
        if self._averaged == 0:
            self._mean = {name: weight.clone() for name, weight in weights.items()}
        else:
            towards(list(self._mean.values()), list(weights.values()), self._averaged)
        self._averaged += 1

    def mean(self) -> Weights:
        return self._mean

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self._steps, "averaged": self._averaged, "mean": self._mean}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._steps, self._averaged, self._mean = state["steps"], state["averaged"], state["mean"]


class ExponentialAveraging(_RunningMean):
    """EMA: mean = d * mean + (1 - d) * weights after each optimizer step (Polyak & Juditsky 1992; Morishita 2018).

    d = min(decay, (1 + n) / (10 + n)) after n steps, so that the mean forgets the start of a short training too.

    Args:
        total_steps: Optimizer steps of the whole training (given by the trainer).
        decay: What d becomes in the long run; the mean is over about the last 1 / (1 - decay) steps.
    """

    def __init__(self, total_steps: int, *, decay: float = 0.999) -> None:
        super().__init__()
        self._decay = below_one("task.averaging.decay", decay)

    def after_step(self, weights: Weights) -> None:
        decay = min(self._decay, (1 + self._averaged) / (10 + self._averaged))
        self._move(weights, get_ema_multi_avg_fn(decay))


class StochasticWeightAveraging(_RunningMean):
    """SWA: the mean of the weights after each optimizer step from `start` on (Izmailov 2018, section 3.2).

    The learning rate should not be near zero in that time, or all the weights are alike: use a schedule that ends high.

    Args:
        total_steps: Optimizer steps of the whole training (given by the trainer).
        start: Share of the training after which the mean begins; until then there is none.
    """

    def __init__(self, total_steps: int, *, start: float = 0.75) -> None:
        super().__init__()
        below_one("task.averaging.start", start)
        self._first_step = min(round(start * total_steps) + 1, total_steps)  # one of them at least

    def after_step(self, weights: Weights) -> None:
        self._steps += 1
        if self._steps >= self._first_step:
            self._move(weights, get_swa_multi_avg_fn())


class LastCheckpoints(WeightAveraging):
    """The mean of the weights at the last `count` validations, the present one included (Vaswani 2017, section 6.1).

    Args:
        total_steps: Optimizer steps of the whole training (given by the trainer).
        count: How many validations; as many copies of the weights are held.
    """

    def __init__(self, total_steps: int, *, count: int = 5) -> None:
        self._count = at_least("task.averaging.count", count, 1)
        self._kept: list[Weights] = []

    def before_validation(self, weights: Weights) -> None:
        copy = {name: weight.clone() for name, weight in weights.items()}
        self._kept = [*self._kept, copy][-self._count :]

    def mean(self) -> Weights:
        names = self._kept[0] if self._kept else ()
        return {name: torch.stack([weights[name] for weights in self._kept]).mean(dim=0) for name in names}

    def state_dict(self) -> dict[str, Any]:
        return {"kept": self._kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._kept = state["kept"]


AveragingFactory = Callable[[int], WeightAveraging]
"""Makes an averaging from (total_steps)."""
