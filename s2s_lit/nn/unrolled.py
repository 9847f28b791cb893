"""Recurrences advanced position by position, for decoders whose next input waits for their last output."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.nn.deferred_linear import DeferredLinear
from s2s_lit.nn.layers import FusedLayer
from s2s_lit.nn.recurrent import Recurrence, StackedRecurrence
from s2s_lit.types import RecurrentState, at_least_float32


class Unrolled(ABC):
    """A recurrence over T inputs x_t = [known_t; fed_t]: the first part is there from the start, the second is made of
    what came before."""

    @abstractmethod
    def step(
        self, position: int, fed: Float[Tensor, "N _"], state: RecurrentState
    ) -> tuple[Float[Tensor, "N H"], RecurrentState]:
        """The output at `position` and the state after it; each position is asked for once, in order."""


def unroll(recurrence: Recurrence, known: Float[Tensor, "N T _"]) -> Unrolled:
    """Start a pass over `known`, whose last axis may be empty."""
    if isinstance(recurrence, StackedRecurrence) and all(isinstance(layer, FusedLayer) for layer in recurrence.layers):
        return _Stack(recurrence, known)
    return _Calls(recurrence, known)


class _Calls(Unrolled):
    """Any recurrence: one call for each position."""

    def __init__(self, recurrence: Recurrence, known: Tensor) -> None:
        self.recurrence, self.known = recurrence, known.unbind(1)
        self.masks = recurrence.draw(len(known))

    def step(self, position: int, fed: Tensor, state: RecurrentState) -> tuple[Tensor, RecurrentState]:
        inputs = torch.cat([self.known[position], fed], dim=-1)
        outputs, state = self.recurrence(inputs.unsqueeze(1), state, masks=self.masks)
        return outputs.squeeze(1), state


class _Stack(Unrolled):
    """torch's layers, from their weights: faster for one position than their own kernels.

    The product of the known parts is one for all positions, and so are the weights' gradients (see `DeferredLinear`).
    """

    def __init__(self, recurrence: StackedRecurrence, known: Tensor) -> None:
        every_mask = recurrence.draw(len(known))
        known = known.transpose(0, 1)  # [T, N, _]
        self.cells: list[_Cell] = []
        self.masks: list[Tensor | None] = []
        for layer, drawn in zip(recurrence.layers, every_mask, strict=True):
            above = bool(self.cells)  # a higher layer knows nothing from the start
            torch_layer = cast(nn.RNNBase, layer.layer)
            self.cells.append(CELLS[type(torch_layer)](torch_layer, drawn.weights, known[..., :0] if above else known))
            mask = None
            if above and drawn.inputs is not None:
                mask = drawn.inputs.expand(len(known), -1, -1)
            elif above and recurrence.dropout and recurrence.training:
                mask = F.dropout(known.new_ones(*known.shape[:2], recurrence.output_size), recurrence.dropout)
            self.masks.append(mask)
        self.residual = recurrence.residual
        self.dtype = next(recurrence.parameters()).dtype  # of outputs and state, as with torch's own kernels

    def step(self, position: int, fed: Tensor, state: RecurrentState) -> tuple[Tensor, RecurrentState]:
        hidden, cell = list(state.hidden.unbind(1)), [] if state.cell is None else list(state.cell.unbind(1))
        below = fed
        for index, (advance, mask) in enumerate(zip(self.cells, self.masks, strict=True)):
            inputs = below if mask is None else below * mask[position]
            output, after = advance(position, inputs, hidden[index], cell[index] if cell else None)
            hidden[index] = output.to(self.dtype)
            if after is not None:
                cell[index] = after.to(self.dtype)
            below = hidden[index] + below if self.residual and index else hidden[index]
        return below, RecurrentState(torch.stack(hidden, 1), torch.stack(cell, 1) if cell else None)


class _Cell(ABC):
    """One layer's equations; W = [W_known W_fed], where x = [known; fed].

    Args:
        layer: Torch's layer.
        dropped: Recurrent weights by name that replace the layer's own.
        known: [T, N, _] the known part of its inputs.
    """

    def __init__(self, layer: nn.RNNBase, dropped: dict[str, Tensor], known: Tensor) -> None:
        weight, bias = cast(Tensor, layer.weight_ih_l0), cast(Tensor, layer.bias_ih_l0)
        recurrent = dropped.get("layer.weight_hh_l0", cast(Tensor, layer.weight_hh_l0))
        split = known.shape[-1]
        base = F.linear(known, weight[:, :split], bias)
        self.prepare(base, weight[:, split:], recurrent, cast(Tensor, layer.bias_hh_l0))

    def prepare(self, base: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor) -> None:
        """From W_known known + b [T, N, G], W_fed, U and its bias; the gates' sum is all that most cells need."""
        self.sum = DeferredLinear(base + bias, weight, recurrent)

    @abstractmethod
    def __call__(self, position: int, fed: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The layer's hidden [N, H] and cell after `position`."""


class _RNNCell(_Cell):
    """h = f(W x + b + U h)."""

    def __init__(self, layer: nn.RNNBase, dropped: dict[str, Tensor], known: Tensor) -> None:
        super().__init__(layer, dropped, known)
        self.function = torch.relu if layer.nonlinearity == "relu" else torch.tanh

    def __call__(self, position: int, fed: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, None]:
        return self.function(at_least_float32(self.sum(position, fed, hidden))), None


class _LSTMCell(_Cell):
    """[i; f; g; o] = W x + b + U h,  c = sigmoid(f) c + sigmoid(i) tanh(g),  h = sigmoid(o) tanh(c)."""

    def __call__(self, position: int, fed: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor | None]:
        assert cell is not None
        i, f, g, o = at_least_float32(self.sum(position, fed, hidden)).chunk(4, dim=-1)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(cell), cell


class _GRUCell(_Cell):
    """[r; z] = sigmoid(W x + b + U h),  n = tanh(W x + b + r (U h + b')),  h = (1 - z) n + z h."""

    def prepare(self, base: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor) -> None:
        self.inputs = DeferredLinear(base, weight)
        self.recurrent = DeferredLinear(bias.to(base.dtype).expand_as(base), recurrent)

    def __call__(self, position: int, fed: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, None]:
        given = at_least_float32(self.inputs(position, fed))
        kept = at_least_float32(self.recurrent(position, hidden))
        split = 2 * hidden.shape[-1]
        r, z = torch.sigmoid(given[:, :split] + kept[:, :split]).chunk(2, dim=-1)
        n = torch.tanh(given[:, split:] + r * kept[:, split:])
        return n + z * (hidden - n), None


CELLS: dict[type[nn.RNNBase], type[_Cell]] = {nn.RNN: _RNNCell, nn.LSTM: _LSTMCell, nn.GRU: _GRUCell}
