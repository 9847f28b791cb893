"""The linear output layer."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor, nn

from s2s_lit.nn.outputs.base import Output


class LinearOutput(Output):
    """logits = W feature + b.

    Args:
        feature_size: F, size of one feature.
        vocab_size: V, number of target tokens.
    """

    def __init__(self, feature_size: int, vocab_size: int) -> None:
        super().__init__()
        self.layer = nn.Linear(feature_size, vocab_size)

    def forward(
        self,
        features: Float[Tensor, "M F"],
        weights: Float[Tensor, "M S"] | None,
        source_ids: Int[Tensor, "M S"] | None,
    ) -> Float[Tensor, "M V"]:
        return self.layer(features)
