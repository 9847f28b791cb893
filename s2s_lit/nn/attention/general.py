"""General attention (Luong, Pham & Manning 2015, section 3.1)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.nn.attention.base import ContentAttention


class GeneralAttention(ContentAttention):
    """score(q, k) = q . W k.

    Args:
        query_size: H of the decoder's queries.
        encoder_size: M of the encoder's outputs.
    """

    def __init__(self, query_size: int, encoder_size: int) -> None:
        super().__init__(query_size, encoder_size)
        self.key_layer = nn.Linear(encoder_size, query_size, bias=False)

    def project_keys(self, outputs: Float[Tensor, "B S M"]) -> Float[Tensor, "B S H"]:
        return self.key_layer(outputs)

    def score(self, queries: Float[Tensor, "B Q H"], keys: Float[Tensor, "B S H"]) -> Float[Tensor, "B Q S"]:
        return queries @ keys.transpose(1, 2)
