"""What was seen since the last optimizer step."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from s2s_lit.processes import summed, world_size


class StepSums:
    """Terms of the objective, summed over the target tokens since the last optimizer step.

    Attributes:
        count: Target tokens.
    """

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self.count: int | Tensor = 0
        self._timed: int | Tensor = 0
        self._since = time.perf_counter()

    def add(self, count: int, **sums: Tensor) -> None:
        """`count` target tokens, over which these terms of the objective were summed."""
        for name, value in sums.items():
            self._sums[name] = self._sums.get(name, 0.0) + value.detach()
        self.count += count
        self._timed += count

    def restart_clock(self) -> None:
        """Validation is no training time."""
        self._timed, self._since = 0, time.perf_counter()

    def add_processes(self) -> None:
        """Adds what the other processes have seen, in one sum of a few numbers."""
        if world_size() == 1:
            return
        device = next(iter(self._sums.values())).device
        counts = torch.tensor([self.count, self._timed], dtype=torch.float64, device=device)
        total = summed(torch.stack([*counts, *(value.double() for value in self._sums.values())]))
        self.count, self._timed, *sums = total.unbind()
        self._sums = dict(zip(self._sums, sums, strict=True))

    def means(self) -> dict[str, Tensor]:
        """Each term per target token."""
        return {name: value / self.count for name, value in self._sums.items()}

    def rate(self) -> float | Tensor:
        """Target tokens per second."""
        return self._timed / (time.perf_counter() - self._since)
