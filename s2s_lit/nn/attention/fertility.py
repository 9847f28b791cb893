"""Attention with linguistic coverage by fertility (Tu et al. 2016, section 3.1.1)."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn

from s2s_lit.checks import above
from s2s_lit.nn.attention.coverage import CoverageAttention
from s2s_lit.types import Encoded, at_least_float32


class FertilityAttention(CoverageAttention):
    """Coverage as a share of how many target tokens a source token is expected to yield, its fertility.

    c_t = sum of weights[t'] / fertility over t' < t,  fertility_s = N sigmoid(u . m_s)

    Args:
        query_size: H of the decoder's queries.
        encoder_size: M of the encoder's outputs.
        attention_size: A, units of the comparing layer.
        max_fertility: N > 0, the most target tokens that a source token yields.

    Raises:
        SettingError: max_fertility is not above 0.
    """

    def __init__(
        self, query_size: int, encoder_size: int, *, attention_size: int = 256, max_fertility: float = 2.0
    ) -> None:
        super().__init__(query_size, encoder_size, attention_size=attention_size)
        self.max_fertility = above("max_fertility", max_fertility, 0)
        self.fertility_layer = nn.Linear(encoder_size, 1, bias=False)

    def prepare(self, outputs: Float[Tensor, "B S M"], mask: Bool[Tensor, "B S"]) -> Encoded:
        fertility = self.max_fertility * at_least_float32(self.fertility_layer(outputs)).sigmoid().squeeze(-1)
        fertility = fertility.masked_fill(~mask, 1.0)  # nothing divides by what padding holds
        return super().prepare(outputs, mask).updated(fertility=fertility)

    def covered(self, weights: Float[Tensor, "B K S"], encoded: Encoded) -> Float[Tensor, "B K S"]:
        return weights / encoded["fertility"].unsqueeze(1)
