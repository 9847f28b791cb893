"""Normalizations of the vectors of padded sequences: what stands in padding changes nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn


class Normalization(nn.Module, ABC):
    """y = gain * (x - mean) / sqrt(variance + epsilon) + bias, with mean and variance of what a subclass says."""

    @abstractmethod
    def forward(self, inputs: Float[Tensor, "B T H"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        """Normalize the real positions; what stands in padding is undefined."""


class LayerNorm(Normalization):
    """Mean and variance over the units of a position (Ba 2016, section 3).

    Args:
        size: H, units of a position.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layer = nn.LayerNorm(size)

    def forward(self, inputs: Float[Tensor, "B T H"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        return self.layer(inputs)


class BatchNorm(Normalization):
    """Mean and variance of a unit over all real positions of a batch (Ioffe & Szegedy 2015, algorithm 1).

    In evaluation the running mean and variance of the training's batches stand for those of the batch, as they do for a
    batch of a single position, which has no variance. In training, sentences of a batch depend on each other.

    Args:
        size: H, units of a position.
        momentum: share of the newest batch in the running mean and variance.
    """

    def __init__(self, size: int, *, momentum: float = 0.1) -> None:
        super().__init__()
        self.layer = nn.BatchNorm1d(size, momentum=momentum)

    def forward(self, inputs: Float[Tensor, "B T H"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        real = inputs[mask]  # [N, H]
        normalized = self.layer(real) if len(real) > 1 else self._by_running_statistics(real)
        return torch.zeros_like(inputs).masked_scatter(mask.unsqueeze(-1), normalized.to(inputs.dtype))

    def _by_running_statistics(self, real: Float[Tensor, "N H"]) -> Float[Tensor, "N H"]:
        layer = self.layer
        return F.batch_norm(real, layer.running_mean, layer.running_var, layer.weight, layer.bias, eps=layer.eps)


NormalizationFactory = Callable[[int], Normalization]
"""Makes a normalization from (size)."""
