"""Concat attention (Luong, Pham & Manning 2015, section 3.1)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.nn.attention.base import ContentAttention


class ConcatAttention(ContentAttention):
    """score(q, k) = v . tanh(W [q; k]), the paper's only score that is not a product of query and key.

    W [q; k] = W_q q + W_k k is computed in these halves, the second once per sentence. It is `AdditiveAttention`
    without the bias and with as many comparing units as the query has: in the paper W is square in the query's size.

    Args:
        query_size: H of the decoder's queries.
        encoder_size: M of the encoder's outputs.
    """

    def __init__(self, query_size: int, encoder_size: int) -> None:
        super().__init__(query_size, encoder_size)
        self.layer = nn.Linear(query_size + encoder_size, query_size, bias=False)  # W, one matrix over [q; k]
        self.score_layer = nn.Linear(query_size, 1, bias=False)

    def project_keys(self, outputs: Float[Tensor, "B S M"]) -> Float[Tensor, "B S H"]:
        return nn.functional.linear(outputs, self.layer.weight[:, self.query_size :])

    def score(self, queries: Float[Tensor, "B Q H"], keys: Float[Tensor, "B S H"]) -> Float[Tensor, "B Q S"]:
        queries = nn.functional.linear(queries, self.layer.weight[:, : self.query_size])
        compared = (queries.unsqueeze(2) + keys.unsqueeze(1)).tanh_()  # [B, Q, S, H], once
        return self.score_layer(compared).squeeze(-1)
