"""Bridges: from what the encoder has read to the decoder's first state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.errors import SettingError
from s2s_lit.nn.encoders.base import Encoder
from s2s_lit.nn.recurrent import Recurrence
from s2s_lit.types import EncoderOutput, RecurrentState


class Bridge(nn.Module, ABC):
    """Makes the decoder's first state [B, L, H] from what the encoder yields.

    Args:
        encoder: What has read the source.
        recurrence: The decoder's recurrence, whose state is made.

    Attributes:
        encoder_size: M of the encoder.
        encoder_state_size: Size of the encoder's final state.
        num_layers: L of the recurrence.
        state_size: H of the recurrence.
        has_cell: Whether the recurrence's state has a cell.
    """

    def __init__(self, encoder: Encoder, recurrence: Recurrence) -> None:
        super().__init__()
        self.encoder_size, self.encoder_state_size = encoder.encoder_size, encoder.state_size
        self.num_layers = recurrence.num_layers
        self.state_size = recurrence.state_size
        self.has_cell = recurrence.has_cell

    @abstractmethod
    def forward(self, encoder_output: EncoderOutput) -> RecurrentState: ...


class ZeroBridge(Bridge):
    """h_0 = 0: only attention, or the context shown at every position, tells the decoder of the source."""

    def forward(self, encoder_output: EncoderOutput) -> RecurrentState:
        outputs = encoder_output.outputs
        zeros = outputs.new_zeros(len(outputs), self.num_layers, self.state_size)
        return RecurrentState(zeros, zeros if self.has_cell else None)


class LastStateBridge(Bridge):
    """h_0 = h_n, layer by layer: the decoder goes on where the encoder ended (Sutskever 2014, section 2).

    A bidirectional encoder gives both directions' last states side by side.

    Raises:
        SettingError: The encoder's last state is of another depth, width or kind than the decoder's state.
    """

    def __init__(self, encoder: Encoder, recurrence: Recurrence) -> None:
        super().__init__(encoder, recurrence)
        given, needed = (
            f"{part.num_layers} x {part.state_size}{' with a cell' if part.has_cell else ''}"
            for part in (encoder, recurrence)
        )
        sizes_differ = (encoder.num_layers, encoder.state_size) != (recurrence.num_layers, recurrence.state_size)
        if sizes_differ or (recurrence.has_cell and not encoder.has_cell):
            raise SettingError(
                f"LastStateBridge cannot make a decoder's state of {needed} (layers x units) from an encoder's of "
                f"{given}: give both recurrences the same class, num_layers and hidden_size (the decoder twice that of "
                "a bidirectional encoder), or take ProjectedBridge"
            )

    def forward(self, encoder_output: EncoderOutput) -> RecurrentState:
        return RecurrentState(encoder_output.final.hidden, encoder_output.final.cell if self.has_cell else None)


class VectorBridge(Bridge):
    """h_0 = tanh(W x + b) of one vector x, one W for each layer and each of hidden and cell: fits any sizes."""

    def __init__(self, encoder: Encoder, recurrence: Recurrence) -> None:
        super().__init__(encoder, recurrence)
        outputs = self.num_layers * self.state_size
        self.layer = nn.Linear(self.summary_size(encoder), outputs * (2 if self.has_cell else 1))

    @abstractmethod
    def summary_size(self, encoder: Encoder) -> int:
        """Size of x."""

    @abstractmethod
    def summary(self, encoder_output: EncoderOutput) -> Float[Tensor, "B X"]:
        """x of each source."""

    def forward(self, encoder_output: EncoderOutput) -> RecurrentState:
        states = torch.tanh(self.layer(self.summary(encoder_output)))  # [B, (1 or 2) * L * H]
        states = states.unflatten(-1, (-1, self.num_layers, self.state_size))
        return RecurrentState(states[:, 0], states[:, 1] if self.has_cell else None)


class ProjectedBridge(VectorBridge):
    """h_0 = tanh(W h_n + b) of the encoder's top layer (Bahdanau 2015, A.2.2, with both directions' last states)."""

    def summary_size(self, encoder: Encoder) -> int:
        return encoder.state_size

    def summary(self, encoder_output: EncoderOutput) -> Float[Tensor, "B X"]:
        return encoder_output.final.hidden[:, -1]


class MeanBridge(VectorBridge):
    """h_0 = tanh(W mean over s of output_s + b), over the real source positions (Sennrich 2017, section 2)."""

    def summary_size(self, encoder: Encoder) -> int:
        return encoder.encoder_size

    def summary(self, encoder_output: EncoderOutput) -> Float[Tensor, "B X"]:
        mask = encoder_output.mask.unsqueeze(-1)
        return encoder_output.outputs.masked_fill(~mask, 0.0).sum(dim=1) / mask.sum(dim=1)


BridgeFactory = Callable[[Encoder, Recurrence], Bridge]
"""Makes a bridge from (the encoder, the decoder's recurrence); or one that is ready."""
