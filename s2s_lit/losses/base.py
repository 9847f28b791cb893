"""The contract of every loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn

from s2s_lit.types import Batch, ModelOutput


@dataclass(frozen=True)
class LossResult:
    """Sums over M real target positions: `objective` is what is minimized, `nll` (nats) what is reported."""

    objective: Tensor
    nll: Tensor
    count: int
    log_probs: Tensor  # [M], of each target token


class Loss(nn.Module, ABC):
    """What a training minimizes."""

    @abstractmethod
    def forward(self, output: ModelOutput, batch: Batch) -> LossResult:
        """Sums over the batch, so that a mean can be taken once, over all that an optimizer step has seen."""
