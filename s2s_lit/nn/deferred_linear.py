"""Products that wait for one another position by position, with their weights' gradients taken at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable


class DeferredLinear:
    """y_t = base_t + sum over i of W_i x_{t,i}, at successive positions t whose x_t depend on earlier y.

    Left alone, autograd would multiply and add a gradient as large as W at each position, with only N rows a product.
    Here W is a constant inside the loop, and its gradient, sum over t of dy_t x_t^T, is one product over all T * N rows
    when the gradients of all base_t (which are those of y_t) are there. Lives as long as one pass.

    Args:
        base: [T, N, G] what does not wait; its dtype, or under autocast that of autocast, is that of all products.
        weights: [G, X_i] each.
    """

    def __init__(self, base: Float[Tensor, "T N G"], *weights: Float[Tensor, "G _"]) -> None:
        if torch.is_autocast_enabled(base.device.type) and base.dtype == torch.float32:
            base = base.to(torch.get_autocast_dtype(base.device.type))  # once, not at each position
        self._seen: list[list[Tensor]] = [[] for _ in weights]
        self._constants = [weight.detach().to(base.dtype).t() for weight in weights]
        self._recording = [torch.is_grad_enabled() and weight.requires_grad for weight in weights]
        self._bases: Sequence[Tensor] = _GradientsAtOnce.apply(base, self._seen, *weights).unbind(0)

    def __call__(self, position: int, *inputs: Float[Tensor, "N _"]) -> Float[Tensor, "N G"]:
        """y at `position`; each position is asked for once, in order."""
        result = self._bases[position]
        for given, seen, weight, record in zip(inputs, self._seen, self._constants, self._recording, strict=True):
            given = given.to(result.dtype)
            if record:
                seen.append(given.detach())
            result = torch.addmm(result, given, weight)
        return result


class _GradientsAtOnce(torch.autograd.Function):
    """The identity on `base`, whose backward pass also knows the gradients of the weights."""

    @staticmethod
    def forward(ctx: Any, base: Tensor, seen: list[list[Tensor]], *weights: Tensor) -> Tensor:
        ctx.seen, ctx.dtypes = seen, [weight.dtype for weight in weights]
        return base.view_as(base)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows = gradient.flatten(0, 1).t()  # [G, T * N]
        weights = (
            (rows @ torch.cat(seen)).to(dtype) if needed else None  # a frozen weight's inputs were not kept
            for seen, dtype, needed in zip(ctx.seen, ctx.dtypes, ctx.needs_input_grad[2:], strict=True)
        )
        return gradient, None, *weights
