"""The equations of recurrent cells, for what torch has no fused kernel for; `cell_recurrences.py` runs them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

State = tuple[Tensor, ...]
"""Of one direction: hidden [R, H] and, for an LSTM, cell [R, H]."""


class Cell(nn.Module, ABC):
    """One position of one direction. Weights are laid out, named and initialized as torch's.

    `project` is called once for all positions, as one product; `step` position by position.

    Args:
        input_size: E, size of one input.
        hidden_size: H, units.

    Attributes:
        num_gates: How many gates there are; their values G = num_gates * H lie side by side.
        has_cell: Whether the state has a cell beside the hidden state.
    """

    num_gates: ClassVar[int]
    has_cell: ClassVar[bool] = False

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        bound, size = hidden_size**-0.5, self.num_gates * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(size, input_size).uniform_(-bound, bound))
        self.weight_hh = nn.Parameter(torch.empty(size, hidden_size).uniform_(-bound, bound))

    @abstractmethod
    def project(self, inputs: Float[Tensor, "N E"]) -> Float[Tensor, "N G"]:
        """What the inputs of N positions contribute to the gates."""

    @abstractmethod
    def step(self, projected: Float[Tensor, "R G"], seen: Float[Tensor, "R H"], state: State) -> State:
        """The next state of R sequences, [R, H] each; `seen` is their hidden state as the recurrent weights see it."""


class BiasedCell(Cell):
    """A cell with two biases, as torch has them."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        bound, size = hidden_size**-0.5, self.num_gates * hidden_size
        self.bias_ih = nn.Parameter(torch.empty(size).uniform_(-bound, bound))
        self.bias_hh = nn.Parameter(torch.empty(size).uniform_(-bound, bound))

    def project(self, inputs: Float[Tensor, "N E"]) -> Float[Tensor, "N G"]:
        return F.linear(inputs, self.weight_ih, self.bias_ih)


class LSTMCell(BiasedCell):
    """i, f, g, o = W x + U h + b;  c' = sigmoid(f) c + sigmoid(i) tanh(g);  h' = sigmoid(o) tanh(c')."""

    num_gates = 4
    has_cell = True

    def step(self, projected: Float[Tensor, "R G"], seen: Float[Tensor, "R H"], state: State) -> State:
        gates = projected + F.linear(seen, self.weight_hh, self.bias_hh)
        i, f, g, o = gates.chunk(4, dim=-1)
        cell = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
        return o.sigmoid() * cell.tanh(), cell


class GRUCell(BiasedCell):
    """r, z, n = W x + b, r', z', n' = U h + b';  h' = (1 - s(z + z')) tanh(n + s(r + r') n') + s(z + z') h."""

    num_gates = 3

    def step(self, projected: Float[Tensor, "R G"], seen: Float[Tensor, "R H"], state: State) -> State:
        recurrent = F.linear(seen, self.weight_hh, self.bias_hh)
        return _gru(projected, recurrent, state)


class LayerNormLSTMCell(Cell):
    """i, f, g, o = LN(W x) + LN(U h);  c' as in LSTMCell;  h' = sigmoid(o) tanh(LN(c'))  (Ba 2016, supplement).

    Each LN has a gain and a bias of its own, so that there is no other bias.
    """

    num_gates = 4
    has_cell = True

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.input_norm = nn.LayerNorm(4 * hidden_size)
        self.recurrent_norm = nn.LayerNorm(4 * hidden_size)
        self.cell_norm = nn.LayerNorm(hidden_size)

    def project(self, inputs: Float[Tensor, "N E"]) -> Float[Tensor, "N G"]:
        return self.input_norm(F.linear(inputs, self.weight_ih))

    def step(self, projected: Float[Tensor, "R G"], seen: Float[Tensor, "R H"], state: State) -> State:
        gates = projected + self.recurrent_norm(F.linear(seen, self.weight_hh))
        i, f, g, o = gates.chunk(4, dim=-1)
        cell = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
        return o.sigmoid() * self.cell_norm(cell).tanh(), cell


class LayerNormGRUCell(Cell):
    """GRUCell with LN of (r, z) and of n apart, each for W x and for U h (Ba 2016, supplement).

    z keeps the old state, as in torch; in the paper it takes the new one, which is the same up to the sign of z.
    """

    num_gates = 3

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.input_norms = nn.ModuleList([nn.LayerNorm(2 * hidden_size), nn.LayerNorm(hidden_size)])
        self.recurrent_norms = nn.ModuleList([nn.LayerNorm(2 * hidden_size), nn.LayerNorm(hidden_size)])

    def project(self, inputs: Float[Tensor, "N E"]) -> Float[Tensor, "N G"]:
        return self._normalize(F.linear(inputs, self.weight_ih), self.input_norms)

    def step(self, projected: Float[Tensor, "R G"], seen: Float[Tensor, "R H"], state: State) -> State:
        recurrent = self._normalize(F.linear(seen, self.weight_hh), self.recurrent_norms)
        return _gru(projected, recurrent, state)

    def _normalize(self, gates: Float[Tensor, "N G"], norms: nn.ModuleList) -> Float[Tensor, "N G"]:
        parts = gates.split([2 * self.hidden_size, self.hidden_size], dim=-1)
        return torch.cat([norm(part) for norm, part in zip(norms, parts, strict=True)], dim=-1)


def _gru(projected: Float[Tensor, "R G"], recurrent: Float[Tensor, "R G"], state: State) -> State:
    """h' = (1 - z) n + z h from the gates' parts of input and hidden state, each of r, z and n."""
    xr, xz, xn = projected.chunk(3, dim=-1)
    hr, hz, hn = recurrent.chunk(3, dim=-1)
    z = (xz + hz).sigmoid()
    new = (xn + (xr + hr).sigmoid() * hn).tanh()
    return ((1 - z) * new + z * state[0],)
