"""Recurrences: RNN, LSTM and GRU, stacked by one mechanism behind one batch-first contract.

torch's layers-first states and packed sequences stay in this file and in `cells.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from s2s_lit.checks import at_least, below_one
from s2s_lit.errors import SettingError
from s2s_lit.nn.merges import ConcatMerge, MergeFactory
from s2s_lit.types import RecurrentState


@dataclass(frozen=True)
class LayerNoise:
    """What is drawn for one layer once for all positions of a pass: masks are zero or 1 / (1 - p)."""

    inputs: Tensor | None = None  # [B, D of the layer below] on the layer's inputs
    recurrent: Tensor | None = None  # [B, directions * H] on the hidden states that it sees again
    weights: dict[str, Tensor] = field(default_factory=dict)  # recurrent weights, some of their entries dropped


Noise = tuple[LayerNoise, ...]


class Recurrence(nn.Module, ABC):
    """A stack of recurrent layers.

    Attributes:
        output_size: D, size of one output.
        state_size: H of the states, directions concatenated.
        num_layers: L.
        has_cell: whether states carry a cell (LSTM).
    """

    output_size: int
    state_size: int
    num_layers: int
    has_cell: bool = False

    @abstractmethod
    def forward(
        self,
        inputs: Float[Tensor, "B T E"],
        state: RecurrentState | None = None,
        lengths: Int[Tensor, "B"] | None = None,
        noise: Noise | None = None,
    ) -> tuple[Float[Tensor, "B T D"], RecurrentState]:
        """Run over time.

        Without `lengths` every position is taken as real, and the final state is the one after position T. With
        `lengths`, outputs past the end are zero and the final state is the one at each sequence's own end.

        Whoever calls it position by position in training draws `noise` once for all of them; otherwise it is drawn
        here.
        """

    def draw(self, rows: int) -> Noise:
        """What regularizers drop at all positions alike, for B = `rows` sequences; nothing in evaluation."""
        return ()


Sequences = Tensor | PackedSequence
"""[B, T, E], or packed: what a layer inside a stack reads and yields, so that a stack packs once."""


class Layer(nn.Module, ABC):
    """One recurrent layer of one or both directions. Its recurrent weights are called `weight_hh...`.

    Attributes:
        has_cell: whether states carry a cell.
    """

    has_cell: bool = False

    @abstractmethod
    def forward(
        self, inputs: Sequences, state: RecurrentState | None, recurrent_mask: Tensor | None
    ) -> tuple[Sequences, RecurrentState]:
        """Outputs of both directions side by side, and the state [B, 1, directions * H] at each sequence's end.

        `recurrent_mask` [B, directions * H], where the layer is one that can, multiplies the hidden state that it sees
        again.
        """


class FusedLayer(Layer):
    """torch's own layer: one kernel for all positions."""

    def __init__(self, layer: nn.RNN | nn.LSTM | nn.GRU) -> None:
        super().__init__()
        self.layer = layer
        self.has_cell = isinstance(layer, nn.LSTM)

    def forward(
        self, inputs: Sequences, state: RecurrentState | None, recurrent_mask: Tensor | None
    ) -> tuple[Sequences, RecurrentState]:
        outputs, final = self.layer(inputs, None if state is None else self._to_torch(state))
        return outputs, self._from_torch(final)

    def _to_torch(self, state: RecurrentState) -> Tensor | tuple[Tensor, Tensor]:
        hidden = self._directions_first(state.hidden)
        return hidden if state.cell is None else (hidden, self._directions_first(state.cell))

    def _from_torch(self, final: Tensor | tuple[Tensor, Tensor]) -> RecurrentState:
        if isinstance(final, tuple):
            return RecurrentState(self._batch_first(final[0]), self._batch_first(final[1]))
        return RecurrentState(self._batch_first(final))

    def _directions_first(self, tensor: Tensor) -> Tensor:
        """[B, 1, directions * H] -> [directions, B, H], torch's order."""
        return tensor.view(tensor.shape[0], -1, self.layer.hidden_size).transpose(0, 1).contiguous()

    def _batch_first(self, tensor: Tensor) -> Tensor:
        """The inverse of `_directions_first`."""
        return tensor.transpose(0, 1).reshape(tensor.shape[1], 1, -1)


class StackedRecurrence(Recurrence):
    """Layers on top of each other:  y^l = merge(layer^l(drop(y^{l-1})))  [+ y^{l-1}, if residual].

    A subclass says what a layer is.

    Args:
        input_size: E, size of one input.
        bidirectional: read the sequence both ways.
        hidden_size: H, units of one layer and direction.
        num_layers: L, layers on top of each other.
        dropout: probability of dropping an activation between layers (no effect with one layer).
        variational: drop the same activations between layers at all positions of a sequence (Gal & Ghahramani 2016).
        weight_drop: probability of dropping a recurrent weight, for all positions of a pass (DropConnect; Merity 2018,
            section 2).
        residual: add to the output of each layer but the first what it read (He 2016; Wu 2016, section 3.1).
        merge: makes one output of both directions'; idle with one direction.
        forget_bias: with which the forget gates of an LSTM, which alone has them, begin: 1 by custom (Jozefowicz 2015);
            null: with what all biases do.

    Raises:
        ValueError: a size is not positive, a probability is none, or a bias is given for gates that there are not.
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
        weight_drop: float = 0.0,
        residual: bool = False,
        merge: MergeFactory = ConcatMerge,
        forget_bias: float | None = None,
    ) -> None:
        super().__init__()
        self.num_layers = at_least("num_layers", num_layers, 1)
        self.hidden_size = at_least("hidden_size", hidden_size, 1)
        self.dropout, self.variational = below_one("dropout", dropout), variational
        self.weight_drop = below_one("weight_drop", weight_drop)
        self.residual = residual
        self.forget_bias = forget_bias
        self.layers, self.merges = nn.ModuleList(), nn.ModuleList()
        self.state_size = self.output_size = hidden_size * (2 if bidirectional else 1)
        for _ in range(num_layers):
            layer = self.make_layer(input_size, hidden_size, bidirectional)
            self.layers.append(layer)
            if bidirectional:
                merged = merge(hidden_size)
                self.merges.append(merged)
                self.output_size = merged.output_size
            input_size = self.output_size
        self.has_cell = layer.has_cell
        if forget_bias is not None and not self.has_cell:
            raise SettingError(f"{type(self).__name__} has no forget gate: leave forget_bias out, or take an LSTM")

    @abstractmethod
    def make_layer(self, input_size: int, hidden_size: int, bidirectional: bool) -> Layer: ...

    def forward(
        self,
        inputs: Float[Tensor, "B T E"],
        state: RecurrentState | None = None,
        lengths: Int[Tensor, "B"] | None = None,
        noise: Noise | None = None,
    ) -> tuple[Float[Tensor, "B T D"], RecurrentState]:
        sequences: Sequences = inputs
        if lengths is not None:  # packing makes the backward direction start at each sequence's last real position
            sequences = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
        finals = []
        for index, drawn in enumerate(self.draw(inputs.shape[0]) if noise is None else noise):
            sequences, final = self._run_layer(index, sequences, None if state is None else _layer(state, index), drawn)
            finals.append(final)
        if isinstance(sequences, PackedSequence):
            sequences, _ = pad_packed_sequence(sequences, batch_first=True, total_length=inputs.shape[1])
        return sequences, _stack(finals)

    def _run_layer(
        self, index: int, below: Sequences, state: RecurrentState | None, noise: LayerNoise
    ) -> tuple[Sequences, RecurrentState]:
        dropped = self._drop(below, noise.inputs) if index else below
        arguments = (dropped, state, noise.recurrent)
        layer = self.layers[index]
        outputs, final = functional_call(layer, noise.weights, arguments) if noise.weights else layer(*arguments)
        if self.merges:
            outputs = _over(outputs, self.merges[index])
        if self.residual and index:
            outputs = _over(outputs, lambda data: data + _data(below))
        return outputs, final

    def _drop(self, sequences: Sequences, mask: Tensor | None) -> Sequences:
        if mask is None:
            probability = 0.0 if self.variational else self.dropout
            return _over(sequences, lambda data: F.dropout(data, probability, self.training))
        spread = mask[_rows(sequences)] if isinstance(sequences, PackedSequence) else mask.unsqueeze(1)
        return _over(sequences, lambda data: data * spread)

    def draw(self, rows: int) -> Noise:
        return tuple(self.draw_layer(index, rows) for index in range(self.num_layers))

    def draw_layer(self, index: int, rows: int) -> LayerNoise:
        """What `draw` draws for one layer."""
        if not self.training:
            return LayerNoise()
        masked = index > 0 and self.variational and self.dropout > 0
        inputs = self.draw_mask(rows, self.output_size, self.dropout) if masked else None
        parameters = self.layers[index].named_parameters() if self.weight_drop else ()
        weights = {name: F.dropout(p, self.weight_drop) for name, p in parameters if "weight_hh" in name}
        return LayerNoise(inputs, weights=weights)

    def draw_mask(self, rows: int, size: int, probability: float) -> Float[Tensor, "B D"]:
        """Zero with this probability, 1 / (1 - probability) otherwise."""
        return F.dropout(next(self.parameters()).new_ones(rows, size), probability)


def _layer(state: RecurrentState, index: int) -> RecurrentState:
    """[B, L, H] -> [B, 1, H]."""
    cell = None if state.cell is None else state.cell[:, index : index + 1]
    return RecurrentState(state.hidden[:, index : index + 1], cell)


def _stack(states: list[RecurrentState]) -> RecurrentState:
    """L times [B, 1, H] -> [B, L, H]."""
    if len(states) == 1:
        return states[0]
    cells = [state.cell for state in states if state.cell is not None]
    hidden = torch.cat([state.hidden for state in states], dim=1)
    return RecurrentState(hidden, torch.cat(cells, dim=1) if cells else None)


def _data(sequences: Sequences) -> Tensor:
    return sequences.data if isinstance(sequences, PackedSequence) else sequences


def _over(sequences: Sequences, change: Callable[[Tensor], Tensor]) -> Sequences:
    """The same sequences with each position's vector changed; padding is never looked at."""
    if isinstance(sequences, PackedSequence):
        return sequences._replace(data=change(sequences.data))
    return change(sequences)


def _rows(packed: PackedSequence) -> Int[Tensor, "N"]:
    """Which row of the batch each of the N real positions belongs to."""
    assert packed.sorted_indices is not None
    return torch.cat([packed.sorted_indices[:size] for size in packed.batch_sizes.tolist()])


class RNN(StackedRecurrence):
    """Elman recurrence: h_t = f(W x_t + U h_{t-1} + b)  (Elman 1990).

    Args:
        input_size: E, size of one input.
        bidirectional: read the sequence both ways.
        hidden_size: H, units of one layer and direction.
        num_layers: L, layers on top of each other.
        dropout: probability of dropping an activation between layers (no effect with one layer).
        variational: drop the same activations between layers at all positions of a sequence (Gal & Ghahramani 2016).
        weight_drop: probability of dropping a recurrent weight, for all positions of a pass (DropConnect; Merity 2018,
            section 2).
        residual: add to the output of each layer but the first what it read (He 2016; Wu 2016, section 3.1).
        merge: makes one output of both directions'; idle with one direction.
        nonlinearity: f.
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
        weight_drop: float = 0.0,
        residual: bool = False,
        merge: MergeFactory = ConcatMerge,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
    ) -> None:
        self.nonlinearity = nonlinearity  # before the layers are made
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
        )

    def make_layer(self, input_size: int, hidden_size: int, bidirectional: bool) -> Layer:
        layer = nn.RNN(
            input_size, hidden_size, nonlinearity=self.nonlinearity, batch_first=True, bidirectional=bidirectional
        )
        return FusedLayer(layer)


def set_forget_bias(value: float | None, inputs: Float[Tensor, "G"], recurrent: Float[Tensor, "G"]) -> None:
    """Give the forget gates of an LSTM this bias: the sum of two, each of the gates i, f, g, o. None leaves them."""
    if value is not None:
        with torch.no_grad():
            inputs.chunk(4)[1].fill_(value)
            recurrent.chunk(4)[1].zero_()


class LSTM(StackedRecurrence):
    """Long short-term encoded with input, forget and output gates (Hochreiter & Schmidhuber 1997; Gers 2000)."""

    def make_layer(self, input_size: int, hidden_size: int, bidirectional: bool) -> Layer:
        layer = nn.LSTM(input_size, hidden_size, batch_first=True, bidirectional=bidirectional)
        for suffix in ("_l0", "_l0_reverse")[: 1 + bidirectional]:
            set_forget_bias(self.forget_bias, getattr(layer, f"bias_ih{suffix}"), getattr(layer, f"bias_hh{suffix}"))
        return FusedLayer(layer)


class GRU(StackedRecurrence):
    """Gated recurrent unit (Cho 2014, section 2.3, in cuDNN's form: the reset gate acts after the product)."""

    def make_layer(self, input_size: int, hidden_size: int, bidirectional: bool) -> Layer:
        return FusedLayer(nn.GRU(input_size, hidden_size, batch_first=True, bidirectional=bidirectional))


RecurrenceFactory = Callable[[int, bool], Recurrence]
"""Makes a recurrence from (input_size, bidirectional): what a configuration file states, less what is known late."""
