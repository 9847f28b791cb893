"""Local attention with predictive alignment, local-p (Luong, Pham & Manning 2015, section 3.2)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.checks import at_least
from s2s_lit.nn.assembly import made
from s2s_lit.nn.attention.base import ContentAttentionFactory, IndependentAttention, distribution, mix
from s2s_lit.nn.attention.general import GeneralAttention
from s2s_lit.types import Encoded, at_least_float32


class LocalPredictiveAttention(IndependentAttention):
    """The query predicts where to look; what lies nearer to there weighs more, and only a window is seen.

    p = S * sigmoid(v . tanh(W q))
    weights = softmax of score(q, k_s) - (s - p)^2 / (2 (D/2)^2) over real s with |s - p| <= D

    S is each sentence's own length, positions s count from 0. The paper multiplies the softmax by the Gaussian, after
    which weights no longer sum to one; here the Gaussian's logarithm is added to the scores, which is the paper's
    weights divided by their sum.

    Args:
        query_size: H of the decoder's queries.
        encoder_size: M of the encoder's outputs.
        content: How a query and a key are compared within the window.
        half_width: D >= 1, half the window in source positions; the Gaussian's standard deviation is D/2.

    Raises:
        SettingError: half_width is less than 1.
    """

    def __init__(
        self,
        query_size: int,
        encoder_size: int,
        *,
        content: ContentAttentionFactory = GeneralAttention,
        half_width: int = 10,
    ) -> None:
        super().__init__(query_size, encoder_size)
        self.content = made(content, query_size=query_size, encoder_size=encoder_size)
        self.half_width = at_least("half_width", half_width, 1)
        self.place_layer = nn.Linear(query_size, query_size, bias=False)
        self.place_score_layer = nn.Linear(query_size, 1, bias=False)

    def project_keys(self, outputs: Float[Tensor, "B S M"]) -> Float[Tensor, "B S A"]:
        return self.content.project_keys(outputs)

    def attend(
        self, queries: Float[Tensor, "B Q H"], encoded: Encoded
    ) -> tuple[Float[Tensor, "B Q C"], Float[Tensor, "B Q S"]]:
        mask = encoded["mask"]
        offsets = torch.arange(mask.shape[1], device=mask.device) - self.centers(queries, mask.sum(dim=1))  # [B, Q, S]
        scores = self.content.score(queries, encoded["keys"]) - 2 * (offsets / self.half_width).square()
        weights = distribution(scores, (offsets.abs() <= self.half_width) & mask.unsqueeze(1))
        return mix(weights, encoded["values"]), weights

    def centers(self, queries: Float[Tensor, "B Q H"], lengths: Tensor) -> Float[Tensor, "B Q 1"]:
        """p of each query, between 0 and the sentence's length: less than a position from a real one."""
        places = self.place_score_layer(torch.tanh(self.place_layer(queries)))
        return lengths[:, None, None] * at_least_float32(places).sigmoid()
