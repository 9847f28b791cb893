"""Multi-head attention (Vaswani et al. 2017, section 3.2.2)."""

from __future__ import annotations

import math

from jaxtyping import Bool, Float
from torch import Tensor, nn

from s2s_lit.errors import SettingError
from s2s_lit.nn.attention.base import IndependentAttention, distribution, mix
from s2s_lit.types import Encoded


class MultiHeadAttention(IndependentAttention):
    """h attentions side by side, each of its own small projections of query, key and value.

    head_i = softmax(Q_i K_i' / sqrt(d)) V_i,  Q_i = W_i^Q q,  K_i = W_i^K m,  V_i = W_i^V m,  d = H / h
    context = W^O [head_1; ...; head_h],  of the query's size

    The weights that are returned are the mean over the heads, which is a distribution too.

    Args:
        query_size: H of the decoder's queries.
        encoder_size: M of the encoder's outputs.
        heads: Number of heads, h; it divides H.

    Raises:
        SettingError: There are no heads, or they do not divide the query's size.
    """

    def __init__(self, query_size: int, encoder_size: int, *, heads: int = 2) -> None:
        super().__init__(query_size, encoder_size)
        if heads < 1 or query_size % heads:
            raise SettingError(
                f"MultiHeadAttention: heads ({heads}) must divide the decoder's state ({query_size} units)"
            )
        self.heads = heads
        self.context_size = query_size
        self.query_layer = nn.Linear(query_size, query_size)
        self.key_layer = nn.Linear(encoder_size, query_size, bias=False)  # a bias adds the same to every score
        self.value_layer = nn.Linear(encoder_size, query_size)
        self.output_layer = nn.Linear(query_size, query_size)

    def prepare(self, outputs: Float[Tensor, "B S M"], mask: Bool[Tensor, "B S"]) -> Encoded:
        return Encoded(
            keys=self._split(self.key_layer(outputs)), values=self._split(self.value_layer(outputs)), mask=mask
        )

    def attend(
        self, queries: Float[Tensor, "B Q H"], encoded: Encoded
    ) -> tuple[Float[Tensor, "B Q C"], Float[Tensor, "B Q S"]]:
        heads = self._split(self.query_layer(queries))  # [B, h, Q, d]
        scores = (heads / math.sqrt(heads.shape[-1])) @ encoded["keys"].transpose(2, 3)  # [B, h, Q, S]
        weights = distribution(scores, encoded["mask"][:, None, None, :])
        contexts = mix(weights, encoded["values"])  # [B, h, Q, d]
        return self.output_layer(contexts.transpose(1, 2).flatten(2)), weights.mean(dim=1)

    def _split(self, vectors: Float[Tensor, "B Q H"]) -> Float[Tensor, "B h Q d"]:
        return vectors.unflatten(-1, (self.heads, -1)).transpose(1, 2)
