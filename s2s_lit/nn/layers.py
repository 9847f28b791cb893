"""One layer of a stack of recurrent layers, and sequences that may be packed.

torch's states, which have the layers first, stay in this file; packed sequences in this one, `recurrent.py` and
`cell_recurrences.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from s2s_lit.types import RecurrentState

Sequences = Tensor | PackedSequence
"""[B, T, E], or packed: what a layer inside a stack reads and yields, so that a stack packs once."""


@dataclass(frozen=True)
class LayerMasks:
    """The dropout masks of one layer that hold for all positions of a pass; a mask's entries are 0 or 1 / (1 - p)."""

    inputs: Tensor | None = None  # [B, D of the layer below] on the layer's inputs
    recurrent: Tensor | None = None  # [B, directions * H] on the hidden states that the recurrent weights see
    weights: dict[str, Tensor] = field(default_factory=dict)  # by name, the recurrent weights with their mask applied


class Layer(nn.Module, ABC):
    """One recurrent layer of one or both directions. Its recurrent weights are called `weight_hh...`.

    Attributes:
        has_cell: Whether states carry a cell.
    """

    has_cell: bool = False

    @abstractmethod
    def forward(
        self, inputs: Sequences, state: RecurrentState | None, recurrent_mask: Tensor | None
    ) -> tuple[Sequences, RecurrentState]:
        """Outputs of both directions side by side, and the state [B, 1, directions * H] at each sequence's end.

        `recurrent_mask` [B, directions * H] multiplies the hidden state that the recurrent weights see, in a layer
        whose kernel allows that.
        """


class FusedLayer(Layer):
    """torch's own layer: one kernel for all positions.

    Args:
        layer: Batch first, of one layer.
    """

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


def data_of(sequences: Sequences) -> Tensor:
    """The vectors of all positions, [B, T, E] or, if packed, [N, E] of the real ones."""
    return sequences.data if isinstance(sequences, PackedSequence) else sequences


def change_each(sequences: Sequences, change: Callable[[Tensor], Tensor]) -> Sequences:
    """The same sequences with each position's vector changed; packed ones have no padding to look at."""
    if isinstance(sequences, PackedSequence):
        return sequences._replace(data=change(sequences.data))
    return change(sequences)


def rows_of(packed: PackedSequence) -> Int[Tensor, "N"]:
    """Which row of the batch each of the N real positions belongs to."""
    assert packed.sorted_indices is not None
    return torch.cat([packed.sorted_indices[:size] for size in packed.batch_sizes.tolist()])
