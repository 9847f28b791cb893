"""What decoders share that read a source: a bridge, and an attention or a context of fixed length."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from s2s_lit.nn.assembly import fitting, made
from s2s_lit.nn.attention.base import AttentionFactory
from s2s_lit.nn.bridges import Bridge, BridgeFactory
from s2s_lit.nn.decoders.base import Decoder
from s2s_lit.nn.encoders.base import Encoder
from s2s_lit.nn.recurrent import Recurrence
from s2s_lit.types import DecoderState, Encoded, EncoderOutput, RecurrentState


class ReadingDecoder(Decoder):
    """Starts from the encoder's last state and sees the source through `look`.

    With an attention a context is its answer to a query. Without one every context is the encoder's last state
    (Cho 2014, section 2.2), see `fixed_context`.

    Args:
        input_size: E, size of one embedded target token.
        encoder: The encoder whose outputs are read.
        recurrence: The recurrent layers, whose state the bridge makes.
        attention: The attention or what makes it, if there is one.
        bridge: The bridge or what makes it.

    Attributes:
        context_size: C, size of one context.
    """

    def __init__(
        self,
        input_size: int,
        encoder: Encoder,
        recurrence: Recurrence,
        attention: AttentionFactory | None,
        bridge: BridgeFactory,
    ) -> None:
        super().__init__()
        self.input_size, self.encoder_size = input_size, encoder.encoder_size
        self.recurrence = recurrence
        self.bridge = fitting(
            bridge if isinstance(bridge, Bridge) else bridge(encoder, recurrence),
            encoder_size=encoder.encoder_size,
            encoder_state_size=encoder.state_size,
            num_layers=recurrence.num_layers,
            state_size=recurrence.state_size,
            has_cell=recurrence.has_cell,
        )
        self.attention = None
        if attention is not None:
            self.attention = made(attention, query_size=recurrence.output_size, encoder_size=encoder.encoder_size)
        self.context_size = encoder.state_size if self.attention is None else self.attention.context_size

    def start(self, encoder_output: EncoderOutput) -> tuple[Encoded, DecoderState]:
        state = as_decoder_state(self.bridge(encoder_output))
        if self.attention is None:
            return Encoded(mask=encoder_output.mask, context=encoder_output.final.hidden[:, -1]), state
        encoded = self.attention.prepare(encoder_output.outputs, encoder_output.mask)
        return encoded, state.updated(**self.attention.start(encoded))

    def fixed_context(self, inputs: Float[Tensor, "N T E"], encoded: Encoded) -> Float[Tensor, "N T C"] | None:
        """The context of fixed length at each position of N = B * K hypotheses; None with an attention."""
        if self.attention is not None:
            return None
        context = encoded["context"].unsqueeze(1)  # [B, 1, C]
        if len(inputs) > len(context):
            context = context.repeat_interleave(len(inputs) // len(context), dim=0)  # [N, 1, C]
        return context.expand(-1, inputs.shape[1], -1)

    def look(
        self, queries: Float[Tensor, "N H"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "N C"], Float[Tensor, "N S"] | None, DecoderState]:
        """Contexts and weights for one position of each of N = B * K hypotheses, those of a sentence side by side."""
        if self.attention is None:
            contexts = self.fixed_context(queries.unsqueeze(1), encoded)
            assert contexts is not None
            return contexts.squeeze(1), None, state
        queries = queries.view(encoded["mask"].shape[0], -1, queries.shape[-1])  # [B, K, H]
        contexts, weights, state = self.attention.step(queries, encoded, state)
        return contexts.flatten(0, 1), weights.flatten(0, 1), state


def with_context(inputs: Float[Tensor, "N T E"], contexts: Float[Tensor, "N T C"] | None) -> Float[Tensor, "N T I"]:
    """What a recurrence is given: the inputs, with the context of fixed length beside them where there is one."""
    return inputs if contexts is None else torch.cat([inputs, contexts], dim=-1)


def as_decoder_state(state: RecurrentState) -> DecoderState:
    """A recurrence's state as a part of a decoder's."""
    if state.cell is None:
        return DecoderState(hidden=state.hidden)
    return DecoderState(hidden=state.hidden, cell=state.cell)


def as_recurrent_state(state: DecoderState) -> RecurrentState:
    """The recurrence's part of a decoder's state."""
    return RecurrentState(state["hidden"], state.get("cell"))
