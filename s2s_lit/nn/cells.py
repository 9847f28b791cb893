"""Recurrences whose steps are ours: layer normalization, zoneout, dropout on recurrent connections.

A loop over positions, where torch has no fused kernel. The products with the inputs are taken of all positions at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from s2s_lit.checks import below_one
from s2s_lit.errors import SettingError
from s2s_lit.nn.merges import ConcatMerge, MergeFactory
from s2s_lit.nn.recurrent import Layer, LayerNoise, Sequences, StackedRecurrence, set_forget_bias
from s2s_lit.types import RecurrentState

State = tuple[Tensor, ...]
"""Of one direction: hidden [R, H] and, for an LSTM, cell [R, H]."""


class Cell(nn.Module, ABC):
    """One position of one direction. Weights are laid out, named and initialized as torch's.

    Args:
        input_size: E.
        hidden_size: H.
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
        """The next state of R sequences; `seen` is their hidden state as the recurrent weights see it."""


class Biased(Cell):
    """What plain cells share: biases as torch has them."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        bound, size = hidden_size**-0.5, self.num_gates * hidden_size
        self.bias_ih = nn.Parameter(torch.empty(size).uniform_(-bound, bound))
        self.bias_hh = nn.Parameter(torch.empty(size).uniform_(-bound, bound))

    def project(self, inputs: Float[Tensor, "N E"]) -> Float[Tensor, "N G"]:
        return F.linear(inputs, self.weight_ih, self.bias_ih)


class LSTMCell(Biased):
    """i, f, g, o = W x + U h + b;  c' = sigmoid(f) c + sigmoid(i) tanh(g);  h' = sigmoid(o) tanh(c')."""

    num_gates = 4
    has_cell = True

    def step(self, projected: Float[Tensor, "R G"], seen: Float[Tensor, "R H"], state: State) -> State:
        gates = projected + F.linear(seen, self.weight_hh, self.bias_hh)
        i, f, g, o = gates.chunk(4, dim=-1)
        cell = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
        return o.sigmoid() * cell.tanh(), cell


class GRUCell(Biased):
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


def _gru(projected: Tensor, recurrent: Tensor, state: State) -> State:
    xr, xz, xn = projected.chunk(3, dim=-1)
    hr, hz, hn = recurrent.chunk(3, dim=-1)
    z = (xz + hz).sigmoid()
    new = (xn + (xr + hr).sigmoid() * hn).tanh()
    return ((1 - z) * new + z * state[0],)


class CellLayer(Layer):
    """A cell for each direction, run position by position.

    Args:
        cells: the forward one and, if bidirectional, the backward one.
        zoneout: probability with which a unit keeps its value, for hidden and cell.
    """

    def __init__(self, cells: list[Cell], zoneout: tuple[float, float]) -> None:
        super().__init__()
        self.cells = nn.ModuleList(cells)
        self.state_size = len(cells) * cells[0].hidden_size
        self.has_cell = cells[0].has_cell
        self.zoneout = zoneout[: 1 + self.has_cell]

    def forward(
        self, inputs: Sequences, state: RecurrentState | None, recurrent_mask: Tensor | None
    ) -> tuple[Sequences, RecurrentState]:
        packed = inputs if isinstance(inputs, PackedSequence) else _time_major(inputs)
        order = packed.sorted_indices
        starts = self._starts(state, packed)
        if order is not None:  # by falling length, so that those still running are the first rows at each position
            starts = [start[order] for start in starts]
            recurrent_mask = None if recurrent_mask is None else recurrent_mask[order]
        directions = len(self.cells)
        halves: list[State] = list(zip(*[start.chunk(directions, dim=-1) for start in starts], strict=True))
        masks = [None] * directions if recurrent_mask is None else list(recurrent_mask.chunk(directions, dim=-1))
        runs = [self._run(index, packed, halves[index], masks[index]) for index in range(directions)]
        outputs = torch.cat([output for output, _ in runs], dim=-1)
        finals = [torch.cat(parts, dim=-1) for parts in zip(*[final for _, final in runs], strict=True)]
        if packed.unsorted_indices is not None:
            finals = [final[packed.unsorted_indices] for final in finals]
        final = RecurrentState(*[final.unsqueeze(1) for final in finals])
        if isinstance(inputs, PackedSequence):
            return packed._replace(data=outputs), final
        return outputs.view(inputs.shape[1], inputs.shape[0], -1).transpose(0, 1), final

    def _run(
        self, direction: int, packed: PackedSequence, state: State, recurrent_mask: Tensor | None
    ) -> tuple[Tensor, State]:
        """Outputs [N, H] in packed order, and the state after each sequence's last position in this direction."""
        cell = cast(Cell, self.cells[direction])
        sizes = packed.batch_sizes.tolist()
        projected = cell.project(packed.data).split(sizes)
        keep = [p.split(sizes) for p in self._draw_zoneout(packed.data.new_empty(len(packed.data), cell.hidden_size))]
        outputs: list[Tensor] = [packed.data] * len(sizes)
        positions = range(len(sizes))
        for t in reversed(positions) if direction else positions:
            # forwards, sequences that have ended rest below the running ones; backwards, those that have not begun
            running = tuple(tensor[: sizes[t]] for tensor in state)
            seen = running[0] if recurrent_mask is None else running[0] * recurrent_mask[: sizes[t]]
            after = cell.step(projected[t], seen, running)
            if keep:
                after = tuple(self._zone(new, old, k[t]) for new, old, k in zip(after, running, keep, strict=True))
            outputs[t] = after[0]
            resting = tuple(tensor[sizes[t] :] for tensor in state)
            state = tuple(torch.cat(parts) if len(parts[1]) else parts[0] for parts in zip(after, resting, strict=True))
        return torch.cat(outputs), state

    def _draw_zoneout(self, like: Tensor) -> list[Tensor]:
        """Which units of hidden (and cell) keep their value at which position: 1 or 0, in evaluation how probably."""
        if not any(self.zoneout):
            return []
        shares = [torch.full_like(like, probability) for probability in self.zoneout]
        return [share.bernoulli() for share in shares] if self.training else shares

    @staticmethod
    def _zone(new: Tensor, old: Tensor, keep: Tensor) -> Tensor:
        """keep * old + (1 - keep) * new."""
        return keep * old + (1 - keep) * new

    def _starts(self, state: RecurrentState | None, packed: PackedSequence) -> list[Tensor]:
        """Hidden and, if there is one, cell before the first position: [B, directions * H] each."""
        if state is None:
            return [packed.data.new_zeros(int(packed.batch_sizes[0]), self.state_size)] * (1 + self.has_cell)
        return [tensor[:, 0] for tensor in (state.hidden, state.cell) if tensor is not None]


def _time_major(inputs: Float[Tensor, "B T E"]) -> PackedSequence:
    """Sequences that are all of one length."""
    sizes = torch.full((inputs.shape[1],), inputs.shape[0])
    return PackedSequence(inputs.transpose(0, 1).flatten(0, 1), sizes)


class CellRecurrence(StackedRecurrence):
    """A stack of layers whose steps are ours.

    Args:
        input_size: E, size of one input.
        bidirectional: read the sequence both ways.
        hidden_size: H, units of one layer and direction.
        num_layers: L, layers on top of each other.
        dropout: probability of dropping an activation between layers (no effect with one layer).
        variational: drop the same activations between layers at all positions of a sequence (Gal & Ghahramani 2016).
        recurrent_dropout: probability of dropping a hidden unit that the recurrent weights see, the same at all
            positions of a sequence (Gal & Ghahramani 2016, section 4).
        weight_drop: probability of dropping a recurrent weight, for all positions of a pass (DropConnect; Merity 2018,
            section 2).
        zoneout: probability with which a hidden unit keeps its value, h_t = d h_{t-1} + (1 - d) h'_t with d drawn anew
            at each position; in evaluation d is its expectation (Krueger 2017, section 3).
        cell_zoneout: the same for the cell of an LSTM, which alone has one.
        residual: add to the output of each layer but the first what it read (He 2016; Wu 2016, section 3.1).
        merge: makes one output of both directions'; idle with one direction.
        forget_bias: with which the forget gates of an LSTM, which alone has them, begin: 1 by custom (Jozefowicz 2015);
            null: with what all biases do.

    Raises:
        ValueError: a size is not positive, a probability is none, or a cell is to be kept where there is none.
    """

    def __init__(
        self,
        input_size: int,
        bidirectional: bool,
        *,
        hidden_size: int = 256,
        num_layers: int = 1,
        dropout: float = 0.0,
        variational: bool = False,
        recurrent_dropout: float = 0.0,
        weight_drop: float = 0.0,
        zoneout: float = 0.0,
        cell_zoneout: float = 0.0,
        residual: bool = False,
        merge: MergeFactory = ConcatMerge,
        forget_bias: float | None = None,
    ) -> None:
        self.zoneout = (
            below_one("zoneout", zoneout),
            below_one("cell_zoneout", cell_zoneout),
        )  # before the layers are made
        super().__init__(
            input_size,
            bidirectional,
            hidden_size=hidden_size,
            num_layers=num_layers,
            dropout=dropout,
            variational=variational,
            weight_drop=weight_drop,
            residual=residual,
            merge=merge,
            forget_bias=forget_bias,
        )
        self.recurrent_dropout = below_one("recurrent_dropout", recurrent_dropout)
        if cell_zoneout and not self.has_cell:
            raise SettingError(f"{type(self).__name__} has no cell: leave cell_zoneout out, or take an LSTM")

    def make_layer(self, input_size: int, hidden_size: int, bidirectional: bool) -> Layer:
        return CellLayer([self.make_cell(input_size, hidden_size) for _ in range(1 + bidirectional)], self.zoneout)

    @abstractmethod
    def make_cell(self, input_size: int, hidden_size: int) -> Cell: ...

    def draw_layer(self, index: int, rows: int) -> LayerNoise:
        noise = super().draw_layer(index, rows)
        if not (self.training and self.recurrent_dropout):
            return noise
        return replace(noise, recurrent=self.draw_mask(rows, self.state_size, self.recurrent_dropout))


class UnrolledLSTM(CellRecurrence):
    """LSTM run position by position, for zoneout (Krueger 2017) and dropout on recurrent connections (Gal 2016)."""

    def make_cell(self, input_size: int, hidden_size: int) -> Cell:
        cell = LSTMCell(input_size, hidden_size)
        set_forget_bias(self.forget_bias, cell.bias_ih, cell.bias_hh)
        return cell


class UnrolledGRU(CellRecurrence):
    """GRU run position by position, for zoneout (Krueger 2017) and dropout on recurrent connections (Gal 2016)."""

    def make_cell(self, input_size: int, hidden_size: int) -> Cell:
        return GRUCell(input_size, hidden_size)


class LayerNormLSTM(CellRecurrence):
    """LSTM with layer normalization of the gates' summands and of the cell (Ba 2016, supplement)."""

    def make_cell(self, input_size: int, hidden_size: int) -> Cell:
        cell = LayerNormLSTMCell(input_size, hidden_size)
        set_forget_bias(self.forget_bias, cell.input_norm.bias, cell.recurrent_norm.bias)
        return cell


class LayerNormGRU(CellRecurrence):
    """GRU with layer normalization of the gates' summands (Ba 2016, supplement)."""

    def make_cell(self, input_size: int, hidden_size: int) -> Cell:
        return LayerNormGRUCell(input_size, hidden_size)
