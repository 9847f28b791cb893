"""Recurrences run position by position: layer normalization, zoneout, dropout on recurrent connections.

A loop over positions, where torch has no fused kernel. The products with the inputs are taken of all positions at once.
"""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from s2s_lit.checks import below_one
from s2s_lit.errors import SettingError
from s2s_lit.nn.cells import Cell, GRUCell, LayerNormGRUCell, LayerNormLSTMCell, LSTMCell, State
from s2s_lit.nn.layers import Layer, LayerMasks, Sequences
from s2s_lit.nn.recurrent import StackedRecurrence, set_forget_bias
from s2s_lit.types import RecurrentState


class CellLayer(Layer):
    """A cell for each direction, run position by position.

    Args:
        cells: The forward one and, if bidirectional, the backward one.
        zoneout: Probability with which a unit keeps its value, for hidden and cell.
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
        # 1. In packed order: by falling length, so that those still running are the first rows at each position.
        packed = inputs if isinstance(inputs, PackedSequence) else _time_major(inputs)
        starts = self._starts(state, packed)  # hidden and cell, [B, directions * H] each
        order = packed.sorted_indices
        if order is not None:
            starts = [start[order] for start in starts]
            recurrent_mask = None if recurrent_mask is None else recurrent_mask[order]
        # 2. Each direction from its half of the states.
        directions = len(self.cells)
        halves: list[State] = list(zip(*[start.chunk(directions, dim=-1) for start in starts], strict=True))
        masks = [None] * directions if recurrent_mask is None else list(recurrent_mask.chunk(directions, dim=-1))
        runs = [self._run(index, packed, halves[index], masks[index]) for index in range(directions)]
        # 3. Both side by side, in the order in which the sequences came.
        outputs = torch.cat([output for output, _ in runs], dim=-1)  # [N, directions * H]
        finals = [torch.cat(parts, dim=-1) for parts in zip(*[final for _, final in runs], strict=True)]
        if packed.unsorted_indices is not None:
            finals = [final[packed.unsorted_indices] for final in finals]
        final = RecurrentState(*[final.unsqueeze(1) for final in finals])  # [B, 1, directions * H] each
        if isinstance(inputs, PackedSequence):
            return packed._replace(data=outputs), final
        return outputs.view(inputs.shape[1], inputs.shape[0], -1).transpose(0, 1), final

    def _run(
        self, direction: int, packed: PackedSequence, state: State, recurrent_mask: Tensor | None
    ) -> tuple[Tensor, State]:
        """Outputs [N, H] in packed order, and the state after each sequence's last position in this direction."""
        cell = cast(Cell, self.cells[direction])
        sizes = packed.batch_sizes.tolist()  # sequences that run at each position
        projected = cell.project(packed.data).split(sizes)  # [R, G] of each position
        keep = [p.split(sizes) for p in self._draw_zoneout(packed.data.new_empty(len(packed.data), cell.hidden_size))]
        outputs: list[Tensor] = [packed.data] * len(sizes)
        positions = range(len(sizes))
        for t in reversed(positions) if direction else positions:
            # 1. The first R rows run; forwards, those below have ended, backwards, they have not begun.
            running = tuple(tensor[: sizes[t]] for tensor in state)  # [R, H] each
            seen = running[0] if recurrent_mask is None else running[0] * recurrent_mask[: sizes[t]]
            # 2. They step, and by zoneout some units stay as they were.
            after = cell.step(projected[t], seen, running)
            if keep:
                after = tuple(self._zone(new, old, k[t]) for new, old, k in zip(after, running, keep, strict=True))
            outputs[t] = after[0]
            # 3. The others rest.
            resting = tuple(tensor[sizes[t] :] for tensor in state)
            state = tuple(torch.cat(parts) if len(parts[1]) else parts[0] for parts in zip(after, resting, strict=True))
        return torch.cat(outputs), state

    def _draw_zoneout(self, like: Tensor) -> list[Tensor]:
        """1 where a unit of hidden (and cell) keeps its value at a position, else 0; in evaluation the probability."""
        if not any(self.zoneout):
            return []
        kept = [torch.full_like(like, probability) for probability in self.zoneout]
        return [probability.bernoulli() for probability in kept] if self.training else kept

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
    """Sequences that are all of one length, packed."""
    sizes = torch.full((inputs.shape[1],), inputs.shape[0])
    return PackedSequence(inputs.transpose(0, 1).flatten(0, 1), sizes)


@dataclass(kw_only=True, eq=False, repr=False)
class CellRecurrence(StackedRecurrence):
    """A stack of layers that are run position by position; a subclass says by which cell.

    Args:
        recurrent_dropout: Probability of dropping a hidden unit that the recurrent weights see, the same at all
            positions of a sequence (Gal & Ghahramani 2016, section 4).
        zoneout: Probability with which a hidden unit keeps its value, h_t = d h_{t-1} + (1 - d) h'_t with d drawn anew
            at each position; in evaluation d is its expectation (Krueger 2017, section 3).
        cell_zoneout: The same for the cell of an LSTM; other recurrences have none.

    Raises:
        SettingError: A size is not positive, a probability is out of its range, or there is no cell to be kept.
    """

    recurrent_dropout: float = 0.0
    zoneout: float = 0.0
    cell_zoneout: float = 0.0

    def __post_init__(self) -> None:
        below_one("recurrent_dropout", self.recurrent_dropout)
        below_one("zoneout", self.zoneout)
        below_one("cell_zoneout", self.cell_zoneout)
        super().__post_init__()
        if self.cell_zoneout and not self.has_cell:
            raise SettingError(f"{type(self).__name__} has no cell: leave cell_zoneout out, or take an LSTM")

    def make_layer(self, input_size: int, hidden_size: int, bidirectional: bool) -> Layer:
        cells = [self.make_cell(input_size, hidden_size) for _ in range(1 + bidirectional)]
        return CellLayer(cells, (self.zoneout, self.cell_zoneout))

    @abstractmethod
    def make_cell(self, input_size: int, hidden_size: int) -> Cell: ...

    def draw_layer(self, index: int, rows: int) -> LayerMasks:
        masks = super().draw_layer(index, rows)
        if not (self.training and self.recurrent_dropout):
            return masks
        return replace(masks, recurrent=self.draw_mask(rows, self.state_size, self.recurrent_dropout))


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
