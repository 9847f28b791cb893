"""Dot attention (Luong, Pham & Manning 2015, section 3.1)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from s2s_lit.errors import SettingError
from s2s_lit.nn.attention.base import ContentAttention


class DotAttention(ContentAttention):
    """score(q, k) = q . k: no parameters, so that queries and encoder outputs must come to mean the same.

    Args:
        query_size: H of the decoder's queries.
        encoder_size: M of the encoder's outputs, the same.

    Raises:
        SettingError: The sizes differ.
    """

    def __init__(self, query_size: int, encoder_size: int) -> None:
        super().__init__(query_size, encoder_size)
        if query_size != encoder_size:
            raise SettingError(
                f"{type(self).__name__} compares the decoder's state ({query_size} units) with the encoder's outputs "
                f"({encoder_size}) as they are: make the sizes equal (reading both ways doubles the outputs, so halve "
                "the encoder's hidden_size or double the decoder's) or take GeneralAttention, which projects"
            )

    def score(self, queries: Float[Tensor, "B Q H"], keys: Float[Tensor, "B S H"]) -> Float[Tensor, "B Q S"]:
        return queries @ keys.transpose(1, 2)
