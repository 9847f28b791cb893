"""Location-aware attention (Chorowski et al. 2015, section 2.2)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.checks import at_least
from s2s_lit.nn.attention.past_aware import PastAwareAttention
from s2s_lit.types import DecoderState, Encoded, at_least_float32


class LocationAttention(PastAwareAttention):
    """Sees around each source position how much was looked at there just before.

    f = F * weights[t-1]  (convolution over the source, zero beyond its ends)
    score(q_t, k_s) = v . tanh(W q_t + U k_s + V f_s)

    Remembers `alignment` [N, S], the weights before; before the first target position they are even.

    Args:
        query_size: H of the decoder's queries.
        encoder_size: M of the encoder's outputs.
        attention_size: A, units of the comparing layer.
        filters: Number of filters in F.
        filter_width: Source positions that a filter spans.
    """

    def __init__(
        self,
        query_size: int,
        encoder_size: int,
        *,
        attention_size: int = 256,
        filters: int = 10,
        filter_width: int = 11,
    ) -> None:
        super().__init__(query_size, encoder_size, attention_size=attention_size)
        width = at_least("filter_width", filter_width, 1)
        self.filter_layer = nn.Conv1d(1, at_least("filters", filters, 1), width, padding="same", bias=False)
        self.location_layer = nn.Linear(filters, attention_size, bias=False)

    def start(self, encoded: Encoded) -> DecoderState:
        real = at_least_float32(encoded["mask"].to(encoded["values"].dtype))
        return DecoderState(alignment=real / real.sum(dim=1, keepdim=True))

    def weigh(
        self, queries: Float[Tensor, "B K A"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "B K S"], DecoderState]:
        before = state["alignment"].to(self.filter_layer.weight.dtype)
        filtered = self.filter_layer(before.unsqueeze(1))  # [N, filters, S]
        weights = self.compare(queries, self.location_layer(filtered.transpose(1, 2)), encoded)
        return weights, state.updated(alignment=weights.flatten(0, 1))
