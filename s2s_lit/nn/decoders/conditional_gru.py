"""The conditional GRU with attention (Nematus: Sennrich 2017, section 2; first in dl4mt-tutorial)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.checks import at_least
from s2s_lit.nn.attention.base import AttentionFactory
from s2s_lit.nn.bridges import BridgeFactory, ProjectedBridge
from s2s_lit.nn.decoders.reader import as_decoder_state, as_recurrent_state
from s2s_lit.nn.decoders.stepping import SteppingDecoder, stacked
from s2s_lit.nn.dropout import SequenceDropout
from s2s_lit.nn.encoders.base import Encoder
from s2s_lit.nn.recurrent import GRU
from s2s_lit.nn.unrolled import unroll
from s2s_lit.types import Decoded, DecoderState, Encoded


class ConditionalGRUDecoder(SteppingDecoder):
    """Two GRUs a position, the attention between them, and a deep output.

    s'_t = GRU_1(y_t, s_{t-1}),  c_t = attention(s'_t),  s_t = GRU_2(c_t, s'_t),
    feature_t = tanh(W s_t + U y_t + V c_t)

    (Sennrich 2017, equations 2 to 12; y_t is the token before the predicted one.) It has its own cell, so there is no
    recurrence to choose. Without an attention every c_t is the encoder's last state.

    Args:
        input_size: E, size of one embedded target token.
        encoder: The encoder whose outputs are read.
        hidden_size: H, units of each GRU.
        attention: How the source is looked at; null for a context of fixed length.
        bridge: Makes the first state from the encoder's last.
        feature_size: F, size of the vector from which a token is predicted.
        dropout: Probability of dropping an activation of s_t on its way to the feature, and of the feature.
        variational: Draw one dropout mask for all positions of a target (Gal & Ghahramani 2016).
    """

    def __init__(
        self,
        input_size: int,
        encoder: Encoder,
        *,
        hidden_size: int = 256,
        attention: AttentionFactory | None = None,
        bridge: BridgeFactory = ProjectedBridge,
        feature_size: int = 256,
        dropout: float = 0.0,
        variational: bool = False,
    ) -> None:
        at_least("feature_size", feature_size, 1)
        super().__init__(input_size, encoder, GRU(input_size, False, hidden_size=hidden_size), attention, bridge)
        self.transition = GRU(self.context_size, False, hidden_size=hidden_size)
        self.feature_size = feature_size
        self.feature_layer = nn.Linear(hidden_size + input_size + self.context_size, feature_size)
        self.dropout = SequenceDropout(dropout, variational=variational)

    def run(self, inputs: Float[Tensor, "N T E"], encoded: Encoded, state: DecoderState) -> Decoded:
        first, second = unroll(self.recurrence, inputs), unroll(self.transition, inputs[..., :0])
        nothing = inputs[:, 0, :0]  # [N, 0]: the first GRU knows its inputs from the start
        carried, every_hidden, every_weights, every_context = as_recurrent_state(state), [], [], []
        for t in range(inputs.shape[1]):
            # 1. s'_t from the token before
            query, carried = first.step(t, nothing, carried)  # [N, H]
            # 2. c_t, what the source says to it
            context, weights, state = self.look(query, encoded, state)  # [N, C], [N, S]
            # 3. s_t, which the next position starts from
            hidden, carried = second.step(t, context, carried)  # [N, H]
            every_hidden.append(hidden)
            every_weights.append(weights)
            every_context.append(context)
        # 4. The features of all positions at once
        hiddens, contexts = torch.stack(every_hidden, 1), torch.stack(every_context, 1)  # [N, T, H], [N, T, C]
        read = torch.cat([self.dropout(hiddens), inputs, contexts], dim=-1)  # [N, T, H + E + C]
        features = self.dropout(torch.tanh(self.feature_layer(read)))
        return Decoded(features, hiddens, stacked(every_weights), state.updated(**as_decoder_state(carried)))
