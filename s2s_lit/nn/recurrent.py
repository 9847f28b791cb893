"""Recurrences: RNN, LSTM and GRU, stacked by one mechanism behind one batch-first contract."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from s2s_lit.checks import at_least, below_one
from s2s_lit.errors import SettingError
from s2s_lit.nn.layers import FusedLayer, Layer, LayerMasks, Sequences, change_each, data_of, rows_of
from s2s_lit.nn.merges import ConcatMerge, MergeFactory
from s2s_lit.types import RecurrentState

Masks = tuple[LayerMasks, ...]
"""Those of each layer."""


class Recurrence(nn.Module, ABC):
    """A stack of recurrent layers.

    Attributes:
        input_size: E, size of one input.
        bidirectional: Whether it reads the sequence both ways.
        output_size: D, size of one output.
        state_size: H of the states, directions concatenated.
        num_layers: L.
        has_cell: Whether states carry a cell (LSTM).
    """

    input_size: int
    bidirectional: bool
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
        masks: Masks | None = None,
    ) -> tuple[Float[Tensor, "B T D"], RecurrentState]:
        """Run over time.

        Without `lengths` every position is taken as real, and the final state is the one after position T. With
        `lengths`, outputs past the end are zero and the final state is the one at each sequence's own end.

        Whoever calls it position by position in training draws `masks` once for all positions; otherwise they are
        drawn here.
        """

    def draw(self, rows: int) -> Masks:
        """Dropout masks that hold for all positions of B = `rows` sequences; none in evaluation."""
        return ()


@dataclass(eq=False, repr=False)
class StackedRecurrence(Recurrence):
    """Layers on top of each other:  y^l = merge(layer^l(drop(y^{l-1})))  [+ y^{l-1}, if residual].

    A subclass says what a layer is. The settings are fields, so that it has these settings too. One that adds some is a
    dataclass with `kw_only=True` besides the two options of this one, which leave comparing and printing to torch; its
    file does without `from __future__ import annotations`, as jsonargparse cannot evaluate the annotations of a module
    that is a dataclass.

    Args:
        input_size: E, size of one input.
        bidirectional: Read the sequence both ways.
        hidden_size: H, units of one layer and direction.
        num_layers: L, layers on top of each other.
        dropout: Probability of dropping an activation between layers (no effect with one layer).
        variational: Drop the same activations between layers at all positions of a sequence (Gal & Ghahramani 2016).
        weight_drop: Probability of dropping a recurrent weight, for all positions of a pass (DropConnect; Merity 2018,
            section 2).
        residual: Add to the output of each layer but the first what it read (He 2016; Wu 2016, section 3.1).
        merge: Makes one output of both directions'; has no effect with one direction.
        forget_bias: What the biases of an LSTM's forget gates are at the start: 1 by custom (Jozefowicz 2015); null
            for what all biases are. Other recurrences have no forget gate.

    Raises:
        SettingError: A size is not positive, a probability is out of its range, or there is no forget gate to have a
            bias.
    """

    input_size: int
    bidirectional: bool
    _: KW_ONLY
    hidden_size: int = 256
    num_layers: int = 1
    dropout: float = 0.0
    variational: bool = False
    weight_drop: float = 0.0
    residual: bool = False
    merge: MergeFactory = ConcatMerge
    forget_bias: float | None = None

    def __post_init__(self) -> None:
        super().__init__()
        at_least("num_layers", self.num_layers, 1)
        at_least("hidden_size", self.hidden_size, 1)
        below_one("dropout", self.dropout)
        below_one("weight_drop", self.weight_drop)
        self.layers, self.merges = nn.ModuleList(), nn.ModuleList()
        self.state_size = self.output_size = self.hidden_size * (2 if self.bidirectional else 1)
        below_size = self.input_size
        for _ in range(self.num_layers):
            layer = self.make_layer(below_size, self.hidden_size, self.bidirectional)
            self.layers.append(layer)
            if self.bidirectional:
                merge = self.merge(self.hidden_size)
                self.merges.append(merge)
                self.output_size = merge.output_size
            below_size = self.output_size
        self.has_cell = layer.has_cell
        if self.forget_bias is not None and not self.has_cell:
            raise SettingError(f"{type(self).__name__} has no forget gate: leave forget_bias out, or take an LSTM")

    @abstractmethod
    def make_layer(self, input_size: int, hidden_size: int, bidirectional: bool) -> Layer: ...

    def forward(
        self,
        inputs: Float[Tensor, "B T E"],
        state: RecurrentState | None = None,
        lengths: Int[Tensor, "B"] | None = None,
        masks: Masks | None = None,
    ) -> tuple[Float[Tensor, "B T D"], RecurrentState]:
        # 1. Packed, the backward direction starts at each sequence's last real position.
        sequences: Sequences = inputs
        if lengths is not None:
            sequences = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
        # 2. Layer after layer, the outputs of one are the inputs of the next.
        finals = []
        for index, drawn in enumerate(self.draw(inputs.shape[0]) if masks is None else masks):
            sequences, final = self._run_layer(index, sequences, None if state is None else _layer(state, index), drawn)
            finals.append(final)  # [B, 1, directions * H]
        # 3. The top layer's outputs, zero in padding.
        if isinstance(sequences, PackedSequence):
            sequences, _ = pad_packed_sequence(sequences, batch_first=True, total_length=inputs.shape[1])
        return sequences, _stack(finals)

    def _run_layer(
        self, index: int, below: Sequences, state: RecurrentState | None, masks: LayerMasks
    ) -> tuple[Sequences, RecurrentState]:
        dropped = self._drop(below, masks.inputs) if index else below
        arguments = (dropped, state, masks.recurrent)
        layer = self.layers[index]
        outputs, final = functional_call(layer, masks.weights, arguments) if masks.weights else layer(*arguments)
        if self.merges:
            outputs = change_each(outputs, self.merges[index])
        if self.residual and index:
            outputs = change_each(outputs, lambda data: data + data_of(below))
        return outputs, final

    def _drop(self, sequences: Sequences, mask: Tensor | None) -> Sequences:
        if mask is None:
            probability = 0.0 if self.variational else self.dropout
            return change_each(sequences, lambda data: F.dropout(data, probability, self.training))
        spread = mask[rows_of(sequences)] if isinstance(sequences, PackedSequence) else mask.unsqueeze(1)
        return change_each(sequences, lambda data: data * spread)

    def draw(self, rows: int) -> Masks:
        return tuple(self.draw_layer(index, rows) for index in range(self.num_layers))

    def draw_layer(self, index: int, rows: int) -> LayerMasks:
        """What `draw` draws for one layer."""
        if not self.training:
            return LayerMasks()
        masked = index > 0 and self.variational and self.dropout > 0
        inputs = self.draw_mask(rows, self.output_size, self.dropout) if masked else None
        parameters = self.layers[index].named_parameters() if self.weight_drop else ()
        weights = {name: F.dropout(p, self.weight_drop) for name, p in parameters if "weight_hh" in name}
        return LayerMasks(inputs, weights=weights)

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


@dataclass(kw_only=True, eq=False, repr=False)
class RNN(StackedRecurrence):
    """Elman recurrence: h_t = f(W x_t + U h_{t-1} + b)  (Elman 1990).

    Args:
        nonlinearity: The function f.
    """

    nonlinearity: Literal["tanh", "relu"] = "tanh"

    def make_layer(self, input_size: int, hidden_size: int, bidirectional: bool) -> Layer:
        layer = nn.RNN(
            input_size, hidden_size, nonlinearity=self.nonlinearity, batch_first=True, bidirectional=bidirectional
        )
        return FusedLayer(layer)


class LSTM(StackedRecurrence):
    """Long short-term memory with input, forget and output gates (Hochreiter & Schmidhuber 1997; Gers 2000)."""

    def make_layer(self, input_size: int, hidden_size: int, bidirectional: bool) -> Layer:
        layer = nn.LSTM(input_size, hidden_size, batch_first=True, bidirectional=bidirectional)
        for suffix in ("_l0", "_l0_reverse")[: 1 + bidirectional]:
            set_forget_bias(self.forget_bias, getattr(layer, f"bias_ih{suffix}"), getattr(layer, f"bias_hh{suffix}"))
        return FusedLayer(layer)


class GRU(StackedRecurrence):
    """Gated recurrent unit (Cho 2014, section 2.3, in cuDNN's form: the reset gate acts after the product)."""

    def make_layer(self, input_size: int, hidden_size: int, bidirectional: bool) -> Layer:
        return FusedLayer(nn.GRU(input_size, hidden_size, batch_first=True, bidirectional=bidirectional))


def set_forget_bias(value: float | None, inputs: Float[Tensor, "G"], recurrent: Float[Tensor, "G"]) -> None:
    """Let both biases of an LSTM's forget gates, of the gates i, f, g, o each, add up to `value`; None leaves them."""
    if value is not None:
        with torch.no_grad():
            inputs.chunk(4)[1].fill_(value)
            recurrent.chunk(4)[1].zero_()


RecurrenceFactory = Callable[[int, bool], Recurrence]
"""Makes a recurrence from (input_size, bidirectional), which the part around it knows; or one that is ready."""
