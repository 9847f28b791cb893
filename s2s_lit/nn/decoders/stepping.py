"""What decoders share whose positions wait for one another: one pass serves training and search."""

from __future__ import annotations

from abc import abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor

from s2s_lit.nn.decoders.reader import ReadingDecoder
from s2s_lit.types import Decoded, DecoderState, Encoded


class SteppingDecoder(ReadingDecoder):
    """Goes through a target position by position; a step of a search is a pass over one position."""

    @abstractmethod
    def run(self, inputs: Float[Tensor, "N T E"], encoded: Encoded, state: DecoderState) -> Decoded:
        """T positions of each of N = B * K hypotheses, those of a sentence side by side."""

    def forward(self, inputs: Float[Tensor, "B T E"], encoded: Encoded, state: DecoderState) -> Decoded:
        return self.run(inputs, encoded, state)

    def step(
        self, inputs: Float[Tensor, "N E"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "N F"], Float[Tensor, "N S"] | None, DecoderState]:
        decoded = self.run(inputs.unsqueeze(1), encoded, state)
        weights = None if decoded.weights is None else decoded.weights.squeeze(1)
        return decoded.features.squeeze(1), weights, decoded.state


def stacked(weights: list[Tensor | None]) -> Tensor | None:
    """The attention's weights [N, S] of successive positions as [N, T, S]; None without an attention."""
    given = [each for each in weights if each is not None]
    return torch.stack(given, dim=1) if given else None
