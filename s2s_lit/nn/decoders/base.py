"""The contract of every decoder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.nn.attention.base import Attention
from s2s_lit.nn.encoders.base import Encoder
from s2s_lit.types import Decoded, DecoderState, Encoded, EncoderOutput


class Decoder(nn.Module, ABC):
    """Turns embedded target tokens into features from which the next token is predicted.

    `forward` sees the whole target and may use fused kernels; `step` advances one position. A contract test holds them
    equal. What a decoder carries lies in a `DecoderState`, what it looks at in an `Encoded`; nothing is kept on `self`.

    Attributes:
        input_size: E, size of one embedded target token.
        encoder_size: M of the encoder that it reads.
        feature_size: F, size of one feature vector.
        attention: Looks at the source; None for a context of fixed length.
    """

    input_size: int
    encoder_size: int
    feature_size: int
    attention: Attention | None

    @abstractmethod
    def start(self, encoder_output: EncoderOutput) -> tuple[Encoded, DecoderState]:
        """What is looked at, and the state before the first position, both with B rows."""

    @abstractmethod
    def forward(self, inputs: Float[Tensor, "B T E"], encoded: Encoded, state: DecoderState) -> Decoded:
        """What T given tokens yield, and the state after the last."""

    @abstractmethod
    def step(
        self, inputs: Float[Tensor, "N E"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "N F"], Float[Tensor, "N S"] | None, DecoderState]:
        """Features, weights, state of one token of each of N = B * K hypotheses, those of a sentence side by side."""


DecoderFactory = Callable[[int, Encoder], Decoder]
"""Makes a decoder from (input_size, the encoder that it reads); or one that is ready."""
