"""The linear output layer."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn


class LinearOutput(nn.Module):
    """logits = W feature + b.

    Args:
        feature_size: F, size of one feature.
        vocab_size: V, number of target pieces.
    """

    def __init__(self, feature_size: int, vocab_size: int) -> None:
        super().__init__()
        self.layer = nn.Linear(feature_size, vocab_size)

    def forward(self, features: Float[Tensor, "N F"]) -> Float[Tensor, "N V"]:
        return self.layer(features)
