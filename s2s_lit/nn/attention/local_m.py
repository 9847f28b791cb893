"""Local attention with monotonic alignment, local-m (Luong, Pham & Manning 2015, section 3.2)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from s2s_lit.checks import at_least
from s2s_lit.nn.assembly import made
from s2s_lit.nn.attention.base import Attention, ContentAttentionFactory, distribution, mix
from s2s_lit.nn.attention.general import GeneralAttention
from s2s_lit.types import DecoderState, Encoded


class LocalMonotonicAttention(Attention):
    """Target position t looks at the window around source position t, as if the languages had one word order.

    p_t = min(t, S - 1),  weights[t] = softmax of score(q_t, k_s) over real s with |s - p_t| <= D

    S is each sentence's own length, positions count from 0. Where t is (`position`) is all that is remembered, so a
    whole target is asked at once.

    Args:
        query_size: H of the decoder's queries.
        encoder_size: M of the encoder's outputs.
        content: How a query and a key are compared within the window.
        half_width: D, source positions seen on each side of p_t.

    Raises:
        SettingError: half_width is negative.
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
        self.half_width = at_least("half_width", half_width, 0)

    def project_keys(self, outputs: Float[Tensor, "B S M"]) -> Float[Tensor, "B S A"]:
        return self.content.project_keys(outputs)

    def start(self, encoded: Encoded) -> DecoderState:
        mask = encoded["mask"]
        return DecoderState(position=torch.zeros(len(mask), dtype=torch.long, device=mask.device))

    def step(
        self, queries: Float[Tensor, "B K H"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "B K C"], Float[Tensor, "B K S"], DecoderState]:
        positions = state["position"]
        contexts, weights = self._attend(queries, positions.view(queries.shape[:2]), encoded)
        return contexts, weights, state.updated(position=positions + 1)

    def forward(
        self, queries: Float[Tensor, "B T H"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "B T C"], Float[Tensor, "B T S"], DecoderState]:
        first, count = state["position"], queries.shape[1]
        positions = first.unsqueeze(1) + torch.arange(count, device=first.device)
        contexts, weights = self._attend(queries, positions, encoded)
        return contexts, weights, state.updated(position=first + count)

    def _attend(
        self, queries: Float[Tensor, "B Q H"], positions: Int[Tensor, "B Q"], encoded: Encoded
    ) -> tuple[Float[Tensor, "B Q C"], Float[Tensor, "B Q S"]]:
        mask = encoded["mask"]
        centers = positions.minimum(mask.sum(dim=1, keepdim=True) - 1)
        scores = self.content.score(queries, encoded["keys"])
        offsets = torch.arange(mask.shape[1], device=mask.device) - centers.unsqueeze(2)  # s - p_t, [B, Q, S]
        weights = distribution(scores, (offsets.abs() <= self.half_width) & mask.unsqueeze(1))
        return mix(weights, encoded["values"]), weights
