"""The recurrent encoder (Sutskever 2014; bidirectional: Schuster & Paliwal 1997, Bahdanau 2015, section 3.2)."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

from s2s_lit.nn.assembly import made
from s2s_lit.nn.dropout import SequenceDropout
from s2s_lit.nn.encoders.base import Encoder
from s2s_lit.nn.normalization import NormalizationFactory
from s2s_lit.nn.recurrent import LSTM, RecurrenceFactory
from s2s_lit.types import EncoderOutput, length_mask


class RecurrentEncoder(Encoder):
    """outputs = dropout(normalize(recurrence(normalize(inputs)))), one for each source position.

    Args:
        input_size: E, size of one embedded source token.
        recurrence: The recurrent layers.
        bidirectional: Read the source both ways.
        dropout: Probability of dropping an activation of the outputs.
        variational: Drop the same activations at all positions of a sentence (Gal & Ghahramani 2016).
        input_normalization: Normalizes what the recurrence reads.
        output_normalization: Normalizes what the recurrence yields; the final state stays as it is.
    """

    def __init__(
        self,
        input_size: int,
        *,
        recurrence: RecurrenceFactory = LSTM,
        bidirectional: bool = False,
        dropout: float = 0.0,
        variational: bool = False,
        input_normalization: NormalizationFactory | None = None,
        output_normalization: NormalizationFactory | None = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.input_normalization = None if input_normalization is None else made(input_normalization, size=input_size)
        self.recurrence = made(recurrence, input_size=input_size, bidirectional=bidirectional)
        self.encoder_size = self.recurrence.output_size
        self.output_normalization = None
        if output_normalization is not None:
            self.output_normalization = made(output_normalization, size=self.encoder_size)
        self.dropout = SequenceDropout(dropout, variational=variational)
        self.state_size = self.recurrence.state_size
        self.num_layers = self.recurrence.num_layers
        self.has_cell = self.recurrence.has_cell

    def forward(self, inputs: Float[Tensor, "B S E"], lengths: Int[Tensor, "B"]) -> EncoderOutput:
        mask = length_mask(lengths, inputs.shape[1])  # [B, S]
        if self.input_normalization is not None:
            inputs = self.input_normalization(inputs, mask)
        outputs, final = self.recurrence(inputs, lengths=lengths)  # [B, S, M]
        if self.output_normalization is not None:
            outputs = self.output_normalization(outputs, mask)
        return EncoderOutput(self.dropout(outputs), mask, final)
