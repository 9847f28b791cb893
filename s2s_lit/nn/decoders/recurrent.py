"""A recurrent decoder with the attention after the recurrence (Luong 2015, section 3, without input feeding)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.checks import at_least
from s2s_lit.nn.attention.base import AttentionFactory
from s2s_lit.nn.bridges import BridgeFactory, ProjectedBridge
from s2s_lit.nn.decoders.reader import ReadingDecoder, beside, pack, unpack
from s2s_lit.nn.dropout import SequenceDropout
from s2s_lit.nn.encoders.base import Encoder
from s2s_lit.nn.recurrent import LSTM, RecurrenceFactory
from s2s_lit.types import Decoded, DecoderState, Encoded


class RecurrentDecoder(ReadingDecoder):
    """s = recurrence(y), c_t = attention(s_t, encoded), feature_t = tanh(W [s_t; c_t])  (Luong 2015, equation 5).

    The recurrence does not wait for the attention, so a whole target runs through one fused kernel and one batched
    attention. Without an attention the context has a fixed length: the encoder's last state, shown to recurrence and
    feature at every position, s = recurrence([y; c]), feature_t = tanh(W [s_t; c])  (Cho 2014, section 2.2).

    Args:
        input_size: E, size of one embedded target token.
        encoder: the encoder whose encoded is read.
        recurrence: the recurrent layers.
        attention: how the source is looked at; none for a context of fixed length.
        bridge: makes the initial state of the encoder's last.
        feature_size: F, size of the vector from which a token is predicted.
        dropout: probability of dropping an activation of the recurrence's output and of the feature.
        variational: one dropout mask for all positions of a target (Gal & Ghahramani 2016).
    """

    def __init__(
        self,
        input_size: int,
        encoder: Encoder,
        *,
        recurrence: RecurrenceFactory = LSTM,
        attention: AttentionFactory | None = None,
        bridge: BridgeFactory = ProjectedBridge,
        feature_size: int = 256,
        dropout: float = 0.0,
        variational: bool = False,
    ) -> None:
        shown_size = input_size if attention else input_size + encoder.state_size
        super().__init__(encoder, recurrence(shown_size, False), attention, bridge)
        self.feature_size = at_least("feature_size", feature_size, 1)
        self.feature_layer = nn.Linear(self.recurrence.output_size + self.context_size, feature_size)
        self.dropout = SequenceDropout(dropout, variational=variational)

    def forward(self, inputs: Float[Tensor, "B T E"], encoded: Encoded, state: DecoderState) -> Decoded:
        contexts, weights = self.fixed(inputs, encoded), None  # [B, T, C]
        hidden, final = self.recurrence(beside(inputs, contexts), unpack(state))  # [B, T, H]
        queries, state = self.dropout(hidden), state.updated(**pack(final))
        if contexts is None:
            assert self.attention is not None
            contexts, weights, state = self.attention(queries, encoded, state)
        return Decoded(self._features(queries, contexts), hidden, weights, state)

    def step(
        self, inputs: Float[Tensor, "N E"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "N F"], Float[Tensor, "N S"] | None, DecoderState]:
        inputs = inputs.unsqueeze(1)
        hidden, final = self.recurrence(beside(inputs, self.fixed(inputs, encoded)), unpack(state))  # [N, 1, H]
        queries, state = self.dropout(hidden).squeeze(1), state.updated(**pack(final))
        contexts, weights, state = self.look(queries, encoded, state)
        return self._features(queries, contexts), weights, state

    def _features(self, queries: Float[Tensor, "*Q H"], contexts: Float[Tensor, "*Q C"]) -> Float[Tensor, "*Q F"]:
        return self.dropout(torch.tanh(self.feature_layer(torch.cat([queries, contexts], dim=-1))))
