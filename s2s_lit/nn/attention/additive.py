"""Additive attention (Bahdanau, Cho & Bengio 2015, section 3.1 and appendix A.1.2)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.checks import at_least
from s2s_lit.nn.attention.base import ContentAttention


class AdditiveAttention(ContentAttention):
    """score(q, k) = v . tanh(W q + U k): a one-layer perceptron compares query and key.

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

    def score(self, queries: Float[Tensor, "B Q H"], keys: Float[Tensor, "B S A"]) -> Float[Tensor, "B Q S"]:
        compared = (self.query_layer(queries).unsqueeze(2) + keys.unsqueeze(1)).tanh_()  # [B, Q, S, A], once
        return self.score_layer(compared).squeeze(-1)
