"""Normalizations of the vectors of padded sequences: what stands in padding changes nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from s2s_lit.checks import below_one
from s2s_lit.processes import differentiable_sum, world_size
from s2s_lit.types import at_least_float32


class Normalization(nn.Module, ABC):
    """y = gain * (x - mean) / sqrt(variance + epsilon) + bias, with mean and variance of what a subclass says.

    Args:
        size: H, units of a position.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    @abstractmethod
    def forward(self, inputs: Float[Tensor, "B T H"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        """Normalize the real positions; what stands in padding is undefined."""


class LayerNorm(Normalization):
    """Mean and variance over the units of a position (Ba 2016, section 3).

    Args:
        size: H, units of a position.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.layer = nn.LayerNorm(size)

    def forward(self, inputs: Float[Tensor, "B T H"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        return self.layer(inputs)


class BatchNorm(Normalization):
    """Mean and variance of a unit over all real positions of a batch (Ioffe & Szegedy 2015, algorithm 1).

    In evaluation the running mean and variance of the training's batches stand for those of the batch, as they do for a
    batch of a single position, which has no variance. In training, sentences of a batch depend on each other; the batch
    is that of all processes together. A process with a single position is not counted: it may be idle.

    Args:
        size: H, units of a position.
        momentum: Share of the newest batch in the running mean and variance.
    """

    def __init__(self, size: int, *, momentum: float = 0.1) -> None:
        super().__init__(size)
        self.momentum = below_one("momentum", momentum)
        self.layer = nn.BatchNorm1d(size, momentum=momentum)

    def forward(self, inputs: Float[Tensor, "B T H"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        real = inputs[mask]  # [N, H]
        if self.training and world_size() > 1:
            normalized = self._with_processes(real)
        else:
            normalized = self.layer(real) if len(real) > 1 else self._by_running_statistics(real)
        return torch.zeros_like(inputs).masked_scatter(mask.unsqueeze(-1), normalized.to(inputs.dtype))

    def _with_processes(self, real: Float[Tensor, "N H"]) -> Float[Tensor, "N H"]:
        """torch's own synchronized layer is for GPUs alone, and would count an idle process."""
        layer, real = self.layer, at_least_float32(real)
        counted = real if len(real) > 1 else real[:0]
        size = counted.new_tensor([len(counted)])
        count, sums = differentiable_sum(torch.cat([size, counted.sum(dim=0)])).split([1, real.shape[1]])
        if count < 2:
            return self._by_running_statistics(real)
        mean = sums / count
        variance = differentiable_sum((counted - mean).square().sum(dim=0)) / count
        self._follow(mean.detach(), variance.detach() * count / (count - 1))
        return (real - mean) * (variance + layer.eps).rsqrt() * layer.weight + layer.bias

    @torch.no_grad()
    def _follow(self, mean: Float[Tensor, "H"], variance: Float[Tensor, "H"]) -> None:
        """Move the running statistics as torch's layer does."""
        layer = self.layer
        assert layer.num_batches_tracked is not None
        layer.num_batches_tracked.add_(1)
        for running, newest in ((layer.running_mean, mean), (layer.running_var, variance)):
            assert running is not None
            running.lerp_(newest.to(running.dtype), self.momentum)

    def _by_running_statistics(self, real: Float[Tensor, "N H"]) -> Float[Tensor, "N H"]:
        layer = self.layer
        return F.batch_norm(real, layer.running_mean, layer.running_var, layer.weight, layer.bias, eps=layer.eps)


NormalizationFactory = Callable[[int], Normalization]
"""Makes a normalization from (size); or one that is ready."""
