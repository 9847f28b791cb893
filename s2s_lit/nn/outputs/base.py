"""The contract of every output layer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn


class Output(nn.Module, ABC):
    """Scores every target token as the next one, for M positions: of a batch's targets, or of a search's hypotheses.

    Attributes:
        layer: The linear layer from features to tokens, whose weight [V, F] may be tied to the target embedding.
        copies: Whether source tokens count as target tokens, so that one vocabulary and an attention are needed;
            only such an output is given the attention's weights and the source tokens.
    """

    copies: ClassVar[bool] = False
    layer: nn.Linear

    @property
    def feature_size(self) -> int:
        """F."""
        return self.layer.in_features

    @property
    def vocab_size(self) -> int:
        """V."""
        return self.layer.out_features

    @abstractmethod
    def forward(
        self,
        features: Float[Tensor, "M F"],
        weights: Float[Tensor, "M S"] | None,
        source_ids: Int[Tensor, "M S"] | None,
    ) -> Float[Tensor, "M V"]:
        """Unnormalized log-probabilities; `weights` are the attention's over the tokens `source_ids`."""


OutputFactory = Callable[[int, int], Output]
"""Makes an output layer from (feature_size, vocab_size); or one that is ready."""
