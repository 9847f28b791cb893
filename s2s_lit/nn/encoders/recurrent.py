"""The recurrent encoder (Sutskever 2014; bidirectional: Schuster & Paliwal 1997, Bahdanau 2015, section 3.2)."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

from s2s_lit.nn.dropout import SequenceDropout
from s2s_lit.nn.encoders.base import Encoder
from s2s_lit.nn.recurrent import LSTM, RecurrenceFactory
from s2s_lit.types import EncoderOutput, length_mask


class RecurrentEncoder(Encoder):
    """memory = recurrence(inputs); one memory position per source position.

    Args:
        input_size: E, size of one embedded source piece.
        recurrence: the recurrent layers.
        bidirectional: read the source both ways and concatenate.
        dropout: probability of dropping an activation of the memory.
        variational: drop the same activations at all positions of a sentence (Gal & Ghahramani 2016).
    """

    def __init__(
        self,
        input_size: int,
        *,
        recurrence: RecurrenceFactory = LSTM,
        bidirectional: bool = False,
        dropout: float = 0.0,
        variational: bool = False,
    ) -> None:
        super().__init__()
        self.recurrence = recurrence(input_size, bidirectional)
        self.dropout = SequenceDropout(dropout, variational=variational)
        self.memory_size = self.recurrence.output_size
        self.state_size = self.recurrence.state_size

    def forward(self, inputs: Float[Tensor, "B S E"], lengths: Int[Tensor, "B"]) -> EncoderOutput:
        memory, final = self.recurrence(inputs, lengths=lengths)
        return EncoderOutput(self.dropout(memory), length_mask(lengths, inputs.shape[1]), final)
