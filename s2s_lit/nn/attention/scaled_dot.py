"""Scaled dot-product attention (Vaswani et al. 2017, section 3.2.1)."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from s2s_lit.nn.attention.dot import DotAttention


class ScaledDotAttention(DotAttention):
    """score(q, k) = q . k / sqrt(H): scores of long vectors do not saturate the softmax.

    Its projected form is `MultiHeadAttention` with one head.

    Args:
        query_size: H of the decoder's queries.
        encoder_size: M of the encoder's outputs, the same.

    Raises:
        SettingError: The sizes differ.
    """

    def score(self, queries: Float[Tensor, "B Q H"], keys: Float[Tensor, "B S H"]) -> Float[Tensor, "B Q S"]:
        return super().score(queries / math.sqrt(self.query_size), keys)
