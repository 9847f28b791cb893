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
        input_size: E, size of one input.
        encoder_size: M, size of one output.
        state_size: Size of a layer's final state.
        num_layers: How many layers give a final state.
        has_cell: Whether final states carry a cell (LSTM).
    """

    input_size: int
    encoder_size: int
    state_size: int
    num_layers: int
    has_cell: bool

    @abstractmethod
    def forward(self, inputs: Float[Tensor, "B S E"], lengths: Int[Tensor, "B"]) -> EncoderOutput:
        """Read B sources of `lengths` real positions."""


EncoderFactory = Callable[[int], Encoder]
"""Makes an encoder from (input_size); or one that is ready."""
