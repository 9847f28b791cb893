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
from s2s_lit.types import DecoderState, EncoderOutput, Memory, RecurrentState


class RecurrentDecoder(Decoder):
    """s = recurrence(y), c_t = attention(s_t, memory), feature_t = tanh(W [s_t; c_t])  (Luong 2015, equation 5).

    The recurrence does not wait for the attention, so a whole target runs through one fused kernel and one batched
    attention. Without an attention the source reaches the decoder by its initial state alone, a context of fixed
    length (Sutskever 2014).

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
        self.recurrence = recurrence(input_size, False)
        self.bridge = bridge(encoder.state_size, self.recurrence)
        query_size = self.recurrence.output_size
        self.attention = attention(query_size, encoder.memory_size) if attention else None
        context_size = self.attention.context_size if self.attention else 0
        self.feature_layer = nn.Linear(query_size + context_size, feature_size)
        self.dropout = nn.Dropout(dropout)
        self.feature_size = feature_size

    def start(self, encoded: EncoderOutput) -> tuple[Memory, DecoderState]:
        memory = self.attention.prepare(encoded.memory, encoded.mask) if self.attention else Memory(mask=encoded.mask)
        return memory, _pack(self.bridge(encoded))

    def forward(
        self, inputs: Float[Tensor, "B T E"], memory: Memory, state: DecoderState
    ) -> tuple[Float[Tensor, "B T F"], Float[Tensor, "B T S"] | None, DecoderState]:
        outputs, final = self.recurrence(inputs, _unpack(state))  # [B, T, H]
        features, weights = self._attend(self.dropout(outputs), memory)
        return features, weights, _pack(final)

    def step(
        self, inputs: Float[Tensor, "N E"], memory: Memory, state: DecoderState
    ) -> tuple[Float[Tensor, "N F"], Float[Tensor, "N S"] | None, DecoderState]:
        outputs, final = self.recurrence(inputs.unsqueeze(1), _unpack(state))  # [N, 1, H]
        queries = self.dropout(outputs).view(memory["mask"].shape[0], -1, outputs.shape[-1])  # [B, K, H]
        features, weights = self._attend(queries, memory)
        return features.flatten(0, 1), None if weights is None else weights.flatten(0, 1), _pack(final)

    def _attend(
        self, queries: Float[Tensor, "B Q H"], memory: Memory
    ) -> tuple[Float[Tensor, "B Q F"], Float[Tensor, "B Q S"] | None]:
        weights = None
        if self.attention:
            contexts, weights = self.attention(queries, memory)
            queries = torch.cat([queries, contexts], dim=-1)
        return self.dropout(torch.tanh(self.feature_layer(queries))), weights


def _pack(state: RecurrentState) -> DecoderState:
    if state.cell is None:
        return DecoderState(hidden=state.hidden)
    return DecoderState(hidden=state.hidden, cell=state.cell)


def _unpack(state: DecoderState) -> RecurrentState:
    return RecurrentState(state["hidden"], state.get("cell"))
