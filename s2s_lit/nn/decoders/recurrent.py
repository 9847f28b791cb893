"""A recurrent decoder with the attention after the recurrence (Luong 2015, section 3, without input feeding)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.nn.attention.base import AttentionFactory
from s2s_lit.nn.bridges import BridgeFactory, ProjectedBridge
from s2s_lit.nn.decoders.base import Decoder
from s2s_lit.nn.encoders.base import Encoder
from s2s_lit.nn.recurrent import LSTM, RecurrenceFactory
from s2s_lit.types import Decoded, DecoderState, EncoderOutput, Memory, RecurrentState


class RecurrentDecoder(Decoder):
    """s = recurrence(y), c_t = attention(s_t, memory), feature_t = tanh(W [s_t; c_t])  (Luong 2015, equation 5).

    The recurrence does not wait for the attention, so a whole target runs through one fused kernel and one batched
    attention. Without an attention the context has a fixed length: the encoder's last state, shown to recurrence and
    feature at every position, s = recurrence([y; c]), feature_t = tanh(W [s_t; c])  (Cho 2014, section 2.2).

    Args:
        input_size: E, size of one embedded target piece.
        encoder: the encoder whose memory is read.
        recurrence: the recurrent layers.
        attention: how the source is looked at; none for a context of fixed length.
        bridge: makes the initial state of the encoder's last.
        feature_size: F, size of the vector from which a piece is predicted.
        dropout: probability of dropping an activation of the recurrence's output and of the feature.
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
    ) -> None:
        super().__init__()
        context_size = encoder.memory_size if attention else encoder.state_size
        self.recurrence = recurrence(input_size if attention else input_size + context_size, False)
        self.bridge = bridge(encoder, self.recurrence)
        query_size = self.recurrence.output_size
        self.attention = attention(query_size, context_size) if attention else None
        context_size = self.attention.context_size if self.attention else context_size
        self.feature_layer = nn.Linear(query_size + context_size, feature_size)
        self.dropout = nn.Dropout(dropout)
        self.feature_size = feature_size

    def start(self, encoded: EncoderOutput) -> tuple[Memory, DecoderState]:
        state = _pack(self.bridge(encoded))
        if self.attention is None:
            return Memory(mask=encoded.mask, context=encoded.final.hidden[:, -1]), state
        memory = self.attention.prepare(encoded.memory, encoded.mask)
        return memory, state.updated(**self.attention.start(memory))

    def forward(self, inputs: Float[Tensor, "B T E"], memory: Memory, state: DecoderState) -> Decoded:
        if self.attention is None:
            contexts, weights = memory["context"].unsqueeze(1).expand(-1, inputs.shape[1], -1), None
            inputs = torch.cat([inputs, contexts], dim=-1)
        hidden, final = self.recurrence(inputs, _unpack(state))  # [B, T, H]
        queries, state = self.dropout(hidden), state.updated(**_pack(final))
        if self.attention is not None:
            contexts, weights, state = self.attention(queries, memory, state)
        return Decoded(self._features(queries, contexts), hidden, weights, state)

    def step(
        self, inputs: Float[Tensor, "N E"], memory: Memory, state: DecoderState
    ) -> tuple[Float[Tensor, "N F"], Float[Tensor, "N S"] | None, DecoderState]:
        inputs = inputs.view(memory["mask"].shape[0], -1, inputs.shape[-1])  # [B, K, E]
        if self.attention is None:
            contexts, weights = memory["context"].unsqueeze(1).expand(-1, inputs.shape[1], -1), None
            inputs = torch.cat([inputs, contexts], dim=-1)
        hidden, final = self.recurrence(inputs.flatten(0, 1).unsqueeze(1), _unpack(state))  # [N, 1, H]
        queries = self.dropout(hidden).view(*inputs.shape[:2], -1)  # [B, K, H]
        state = state.updated(**_pack(final))
        if self.attention is not None:
            contexts, weights, state = self.attention.step(queries, memory, state)
            weights = weights.flatten(0, 1)
        return self._features(queries, contexts).flatten(0, 1), weights, state

    def _features(self, queries: Float[Tensor, "B Q H"], contexts: Float[Tensor, "B Q C"]) -> Float[Tensor, "B Q F"]:
        return self.dropout(torch.tanh(self.feature_layer(torch.cat([queries, contexts], dim=-1))))


def _pack(state: RecurrentState) -> DecoderState:
    if state.cell is None:
        return DecoderState(hidden=state.hidden)
    return DecoderState(hidden=state.hidden, cell=state.cell)


def _unpack(state: DecoderState) -> RecurrentState:
    return RecurrentState(state["hidden"], state.get("cell"))
