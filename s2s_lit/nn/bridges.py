"""Bridges: from the encoder's last states to the decoder's first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import nn

from s2s_lit.nn.recurrent import Recurrence
from s2s_lit.types import EncoderOutput, RecurrentState


class Bridge(nn.Module, ABC):
    """Makes the decoder's initial state [B, L, H] of an encoded source."""

    @abstractmethod
    def forward(self, encoded: EncoderOutput) -> RecurrentState: ...


class ProjectedBridge(Bridge):
    """h_0 = tanh(W h_n + b) of the encoder's top layer, one W for each layer and each of hidden and cell.

    It fits any encoder to any decoder (Bahdanau 2015, A.2.2, with both directions instead of the backward one).

    Args:
        encoder_state_size: size of the encoder's last state.
        recurrence: the decoder's recurrence, whose state is made.
    """

    def __init__(self, encoder_state_size: int, recurrence: Recurrence) -> None:
        super().__init__()
        self.shape = (recurrence.num_layers, recurrence.state_size)
        self.has_cell = recurrence.has_cell
        outputs = recurrence.num_layers * recurrence.state_size
        self.layer = nn.Linear(encoder_state_size, outputs * (2 if self.has_cell else 1))

    def forward(self, encoded: EncoderOutput) -> RecurrentState:
        top = encoded.final.hidden[:, -1]  # [B, H of the encoder]
        states = torch.tanh(self.layer(top)).unflatten(-1, (-1, *self.shape))  # [B, 1 or 2, L, H]
        return RecurrentState(states[:, 0], states[:, 1] if self.has_cell else None)


BridgeFactory = Callable[[int, Recurrence], Bridge]
"""Makes a bridge from (encoder_state_size, the decoder's recurrence)."""
