"""The contract of every model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn

from s2s_lit.nn.embeddings import TokenEmbedding
from s2s_lit.types import DecoderState, Encoded, Inputs, ModelOutput, Target


class Model(nn.Module, ABC):
    """Gives the probability of a target, token by token, from the inputs that it knows by their names.

    `forward` sees a whole target (training), `step` one token of each hypothesis (search); a law holds them equal. A
    model is a `StepModel` for the searches.
    """

    reads: ClassVar[tuple[str, ...]]
    """Names of the inputs."""

    @property
    @abstractmethod
    def attends(self) -> bool:
        """Whether it has an attention, whose weights can be drawn and used."""

    @property
    def leaves_out(self) -> bool:
        """Whether a training step may leave some of its parameters without a gradient."""
        return False

    @property
    @abstractmethod
    def embeddings(self) -> dict[str, TokenEmbedding]:
        """The embedding of each field that has one, by name."""

    @property
    def copied_input(self) -> str | None:
        """The input whose tokens it can copy, which must have the target's tokenizer; None if it copies nothing."""
        return None

    @abstractmethod
    def forward(self, inputs: Inputs, target: Target, state: DecoderState | None = None) -> ModelOutput:
        """Teacher forcing: every position sees the true tokens before it.

        `state` is the decoder's before the first target position, where that is not the start of a target.
        """

    @abstractmethod
    def start(self, inputs: Inputs) -> tuple[Encoded, DecoderState]:
        """What was read, its `mask` [B, S] at least, and the state before the first token; one row an example."""

    @abstractmethod
    def step(
        self, tokens: Int[Tensor, "N"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "N V"], Float[Tensor, "N S"] | None, DecoderState]:
        """Log-probabilities of the next token of each hypothesis given its last, attention weights, next state."""


ModelFactory = Callable[[Mapping[str, int]], Model]
"""Makes a model from the size of each field: tokens of its vocabulary, or features of a position."""
