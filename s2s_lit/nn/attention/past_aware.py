"""Additive attention that sees what it has looked at before: the common part of `location.py` and `coverage.py`."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.checks import at_least
from s2s_lit.nn.attention.base import SequentialAttention, distribution
from s2s_lit.types import Encoded


class PastAwareAttention(SequentialAttention):
    """score(q, k_s, f_s) = v . tanh(W q + U k_s + f_s),  f_s made of earlier weights by the subclass.

    Args:
        query_size: H of the decoder's queries.
        encoder_size: M of the encoder's outputs.
        attention_size: A, units of the comparing layer.
    """

    def __init__(self, query_size: int, encoder_size: int, *, attention_size: int = 256) -> None:
        super().__init__(query_size, encoder_size)
        self.query_layer = nn.Linear(query_size, at_least("attention_size", attention_size, 1))
        self.key_layer = nn.Linear(encoder_size, attention_size, bias=False)
        self.score_layer = nn.Linear(attention_size, 1, bias=False)

    def project_keys(self, outputs: Float[Tensor, "B S M"]) -> Float[Tensor, "B S A"]:
        return self.key_layer(outputs)

    def project_queries(self, queries: Float[Tensor, "B Q H"]) -> Float[Tensor, "B Q A"]:
        return self.query_layer(queries)

    def compare(
        self, queries: Float[Tensor, "B K A"], features: Float[Tensor, "N S A"], encoded: Encoded
    ) -> Float[Tensor, "B K S"]:
        """Weights from projected queries and the features f of each of the N = B * K hypotheses' past."""
        past = features.view(*queries.shape[:2], *features.shape[1:])  # [B, K, S, A]
        compared = (encoded["keys"].unsqueeze(1) + queries.unsqueeze(2)).add_(past).tanh_()  # in place
        return distribution(self.score_layer(compared).squeeze(-1), encoded["mask"].unsqueeze(1))
