"""General attention (Luong, Pham & Manning 2015, section 3.1)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.nn.attention.base import ContentAttention


class GeneralAttention(ContentAttention):
    """score(q, k) = q . W k.

    Args:
        query_size: H of the decoder's queries.
        memory_size: M of the encoder's memory.
    """

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(query_size, memory_size)
        self.key_layer = nn.Linear(memory_size, query_size, bias=False)

    def project_keys(self, memory: Float[Tensor, "B S M"]) -> Float[Tensor, "B S H"]:
        return self.key_layer(memory)

    def score(self, queries: Float[Tensor, "B Q H"], keys: Float[Tensor, "B S H"]) -> Float[Tensor, "B Q S"]:
        return queries @ keys.transpose(1, 2)
