"""A recurrent decoder that is told what it looked at before (Luong 2015, section 3.3)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.checks import at_least
from s2s_lit.nn.assembly import made
from s2s_lit.nn.attention.base import AttentionFactory
from s2s_lit.nn.bridges import BridgeFactory, ProjectedBridge
from s2s_lit.nn.decoders.reader import as_decoder_state, as_recurrent_state, with_context
from s2s_lit.nn.decoders.stepping import SteppingDecoder, stacked
from s2s_lit.nn.deferred_linear import DeferredLinear
from s2s_lit.nn.dropout import SequenceDropout
from s2s_lit.nn.encoders.base import Encoder
from s2s_lit.nn.recurrent import LSTM, RecurrenceFactory
from s2s_lit.nn.unrolled import unroll
from s2s_lit.types import Decoded, DecoderState, Encoded, EncoderOutput


class InputFeedingDecoder(SteppingDecoder):
    """s_t = recurrence([y_t; feature_{t-1}]), c_t = attention(s_t), feature_t = tanh(W [s_t; c_t]).

    The feature before the first is zero; the one that is fed is the one that is predicted from, dropout included.
    Without an attention the context is the encoder's last state at every position, and the recurrence sees it too.

    Args:
        input_size: E, size of one embedded target token.
        encoder: The encoder whose outputs are read.
        recurrence: The recurrent layers.
        attention: How the source is looked at; null for a context of fixed length.
        bridge: Makes the first state from the encoder's last.
        feature_size: F, size of the vector that is fed and from which a token is predicted.
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
            input_size,
            encoder,
            made(recurrence, input_size=shown_size + feature_size, bidirectional=False),
            attention,
            bridge,
        )
        self.feature_size = feature_size
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
        recurrence = unroll(self.recurrence, with_context(inputs, self.fixed_context(inputs, encoded)))
        weight, bias = self.feature_layer.weight, self.feature_layer.bias
        feature_layer = DeferredLinear(
            bias.expand(positions, rows, -1), weight[:, :hidden_size], weight[:, hidden_size:]
        )
        masks = self.dropout.masks(inputs.new_empty(rows, positions, hidden_size + self.feature_size))
        query_masks, feature_masks = masks.split([hidden_size, self.feature_size], dim=-1)

        carried, feature = as_recurrent_state(state), state["feed"]
        every_hidden, every_weights, features = [], [], []
        for t in range(positions):
            # 1. s_t from the token and the feature before
            hidden, carried = recurrence.step(t, feature, carried)  # [N, H]
            # 2. c_t, what the source says to it
            query = hidden * query_masks[:, t]  # [N, H]
            context, weights, state = self.look(query, encoded, state)  # [N, C], [N, S]
            # 3. The feature, which is predicted from and fed to the next position
            feature = torch.tanh(feature_layer(t, query, context)) * feature_masks[:, t]  # [N, F]
            every_hidden.append(hidden)
            every_weights.append(weights)
            features.append(feature)
        state = state.updated(feed=feature, **as_decoder_state(carried))
        return Decoded(torch.stack(features, 1), torch.stack(every_hidden, 1), stacked(every_weights), state)
