"""A recurrent decoder that is told what it looked at before (Luong 2015, section 3.3)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.checks import at_least
from s2s_lit.nn.attention.base import AttentionFactory
from s2s_lit.nn.bridges import BridgeFactory, ProjectedBridge
from s2s_lit.nn.decoders.reader import beside, pack, unpack
from s2s_lit.nn.decoders.stepping import SteppingDecoder, stacked
from s2s_lit.nn.deferred_linear import DeferredLinear
from s2s_lit.nn.dropout import SequenceDropout
from s2s_lit.nn.encoders.base import Encoder
from s2s_lit.nn.recurrent import LSTM, RecurrenceFactory
from s2s_lit.nn.unrolled import unroll
from s2s_lit.types import Decoded, DecoderState, Encoded, EncoderOutput


class InputFeedingDecoder(SteppingDecoder):
    """s_t = recurrence([y_t; feature_{t-1}]), c_t = attention(s_t, encoded), feature_t = tanh(W [s_t; c_t]).

    The feature before the first is zero; the one that is fed is the one that is predicted from, dropout included.
    Without an attention the context is the encoder's last state at every position, and the recurrence sees it too.

    Args:
        input_size: E, size of one embedded target token.
        encoder: the encoder whose encoded is read.
        recurrence: the recurrent layers.
        attention: how the source is looked at; none for a context of fixed length.
        bridge: makes the initial state of the encoder's last.
        feature_size: F, size of the vector that is fed and from which a token is predicted.
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
        super().__init__(encoder, recurrence(shown_size + feature_size, False), attention, bridge)
        self.feature_size = at_least("feature_size", feature_size, 1)
        self.feature_layer = nn.Linear(self.recurrence.output_size + self.context_size, feature_size)
        self.dropout = SequenceDropout(dropout, variational=variational)

    def start(self, encoder_output: EncoderOutput) -> tuple[Encoded, DecoderState]:
        encoded, state = super().start(encoder_output)
        return encoded, state.updated(
            feed=encoder_output.outputs.new_zeros(len(encoder_output.outputs), self.feature_size)
        )

    def run(self, inputs: Float[Tensor, "N T E"], encoded: Encoded, state: DecoderState) -> Decoded:
        rows, positions, _ = inputs.shape
        hidden_size = self.recurrence.output_size
        recurrence = unroll(self.recurrence, beside(inputs, self.fixed(inputs, encoded)))
        weight, bias = self.feature_layer.weight, self.feature_layer.bias
        feature_layer = DeferredLinear(
            bias.expand(positions, rows, -1), weight[:, :hidden_size], weight[:, hidden_size:]
        )
        masks = self.dropout.masks(inputs.new_empty(rows, positions, hidden_size + self.feature_size))
        query_masks, feature_masks = masks.split([hidden_size, self.feature_size], dim=-1)

        carried, feature = unpack(state), state["feed"]
        every_hidden, every_weights, features = [], [], []
        for t in range(positions):
            hidden, carried = recurrence.step(t, feature, carried)  # [N, H]
            query = hidden * query_masks[:, t]
            context, weights, state = self.look(query, encoded, state)  # [N, C], [N, S]
            feature = torch.tanh(feature_layer(t, query, context)) * feature_masks[:, t]  # [N, F]
            every_hidden.append(hidden)
            every_weights.append(weights)
            features.append(feature)
        state = state.updated(feed=feature, **pack(carried))
        return Decoded(torch.stack(features, 1), torch.stack(every_hidden, 1), stacked(every_weights), state)
