"""Attention with coverage (See, Liu & Manning 2017, section 2.3)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.nn.attention.past_aware import PastAwareAttention
from s2s_lit.types import DecoderState, Encoded, at_least_float32


class CoverageAttention(PastAwareAttention):
    """Sees how much each source position was looked at so far.

    c_t = sum of weights[t'] over t' < t
    score(q_t, k_s) = v . tanh(W q_t + U k_s + w c_ts)

    Remembers `coverage` [N, S]. Its loss is `CoveragePenalty`, listed under task.penalties.

    Args:
        query_size: H of the decoder's queries.
        encoder_size: M of the encoder's outputs.
        attention_size: A, units of the comparing layer.
    """

    def __init__(self, query_size: int, encoder_size: int, *, attention_size: int = 256) -> None:
        super().__init__(query_size, encoder_size, attention_size=attention_size)
        self.coverage_layer = nn.Linear(1, attention_size, bias=False)

    def start(self, encoded: Encoded) -> DecoderState:
        return DecoderState(coverage=torch.zeros_like(at_least_float32(encoded["values"])[..., 0]))

    def weigh(
        self, queries: Float[Tensor, "B K A"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "B K S"], DecoderState]:
        coverage = state["coverage"]
        seen = coverage.to(self.coverage_layer.weight.dtype).unsqueeze(-1)  # [N, S, 1]
        weights = self.compare(queries, self.coverage_layer(seen), encoded)
        return weights, state.updated(coverage=coverage + self.covered(weights, encoded).flatten(0, 1))

    def covered(self, weights: Float[Tensor, "B K S"], encoded: Encoded) -> Float[Tensor, "B K S"]:
        """How much of each source position one look covers."""
        return weights
