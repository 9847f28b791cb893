"""The contract of what is added to the token loss: penalties on activations, weights of an attention, ..."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.types import Batch, ModelOutput


class Penalty(nn.Module, ABC):
    """A term that is added to the token loss, and logged by itself as `train/NAME` per target token.

    Attributes:
        name: NAME in the logs.
    """

    name: ClassVar[str]

    @abstractmethod
    def forward(self, output: ModelOutput, batch: Batch) -> Float[Tensor, ""]:
        """The weighted term, summed over the batch's real target positions."""
