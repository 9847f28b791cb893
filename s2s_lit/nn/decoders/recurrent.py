"""A recurrent decoder with the attention after the recurrence (Luong 2015, section 3, without input feeding)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.checks import at_least
from s2s_lit.nn.assembly import made
from s2s_lit.nn.attention.base import AttentionFactory
from s2s_lit.nn.bridges import BridgeFactory, ProjectedBridge
from s2s_lit.nn.decoders.reader import ReadingDecoder, as_decoder_state, as_recurrent_state, with_context
from s2s_lit.nn.dropout import SequenceDropout
from s2s_lit.nn.encoders.base import Encoder
from s2s_lit.nn.recurrent import LSTM, RecurrenceFactory
from s2s_lit.types import Decoded, DecoderState, Encoded


class RecurrentDecoder(ReadingDecoder):
    """s = recurrence(y), c_t = attention(s_t), feature_t = tanh(W [s_t; c_t])  (Luong 2015, equation 5).

    The recurrence does not wait for the attention, so a whole target runs through one fused kernel and one batched
    attention. Without an attention the context has a fixed length: the encoder's last state, shown to recurrence and
    feature at every position, s = recurrence([y; c]), feature_t = tanh(W [s_t; c])  (Cho 2014, section 2.2).

    Args:
        input_size: E, size of one embedded target token.
        encoder: The encoder whose outputs are read.
        recurrence: The recurrent layers.
        attention: How the source is looked at; null for a context of fixed length.
        bridge: Makes the first state from the encoder's last.
        feature_size: F, size of the vector from which a token is predicted.
        dropout: Probability of dropping an activation of the recurrence's output and of the feature.
        variational: Draw one dropout mask for all positions of a target (Gal & Ghahramani 2016).
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
        at_least("feature_size", feature_size, 1)
        shown_size = input_size if attention else input_size + encoder.state_size
        super().__init__(
            input_size, encoder, made(recurrence, input_size=shown_size, bidirectional=False), attention, bridge
        )
        self.feature_size = feature_size
        self.feature_layer = nn.Linear(self.recurrence.output_size + self.context_size, feature_size)
        self.dropout = SequenceDropout(dropout, variational=variational)

    def forward(self, inputs: Float[Tensor, "B T E"], encoded: Encoded, state: DecoderState) -> Decoded:
        # 1. The recurrence over all positions; it sees the context if that is fixed
        contexts, weights = self.fixed_context(inputs, encoded), None  # [B, T, C]
        hidden, final = self.recurrence(with_context(inputs, contexts), as_recurrent_state(state))  # [B, T, H]
        queries, state = self.dropout(hidden), state.updated(**as_decoder_state(final))
        # 2. The attention of all positions
        if contexts is None:
            assert self.attention is not None
            contexts, weights, state = self.attention(queries, encoded, state)
        # 3. The features [B, T, F]
        return Decoded(self._features(queries, contexts), hidden, weights, state)

    def step(
        self, inputs: Float[Tensor, "N E"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "N F"], Float[Tensor, "N S"] | None, DecoderState]:
        inputs = inputs.unsqueeze(1)
        hidden, final = self.recurrence(
            with_context(inputs, self.fixed_context(inputs, encoded)), as_recurrent_state(state)
        )  # [N, 1, H]
        queries, state = self.dropout(hidden).squeeze(1), state.updated(**as_decoder_state(final))
        contexts, weights, state = self.look(queries, encoded, state)
        return self._features(queries, contexts), weights, state

    def _features(self, queries: Float[Tensor, "*Q H"], contexts: Float[Tensor, "*Q C"]) -> Float[Tensor, "*Q F"]:
        return self.dropout(torch.tanh(self.feature_layer(torch.cat([queries, contexts], dim=-1))))
