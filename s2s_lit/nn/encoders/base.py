"""The contract of every encoder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from jaxtyping import Float, Int
from torch import Tensor, nn

from s2s_lit.types import EncoderOutput


class Encoder(nn.Module, ABC):
    """Reads a source.

    Attributes:
        encoder_size: M, size of one encoded position.
        state_size: size of a layer's final state.
        num_layers: number of layers whose final states are given.
        has_cell: whether final states carry a cell (LSTM).
    """

    encoder_size: int
    state_size: int
    num_layers: int
    has_cell: bool

    @abstractmethod
    def forward(self, inputs: Float[Tensor, "B S E"], lengths: Int[Tensor, "B"]) -> EncoderOutput: ...


EncoderFactory = Callable[[int], Encoder]
"""Makes an encoder from (input_size)."""
