"""The encoder-decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor, nn

from s2s_lit.nn.decoders.base import DecoderFactory
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.embeddings import PieceEmbedding
from s2s_lit.nn.encoders.base import EncoderFactory
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.outputs.linear import LinearOutput
from s2s_lit.types import Batch, DecoderState, EncoderOutput, Memory, at_least_float32


@dataclass(frozen=True)
class Seq2SeqOutput:
    """What a pass over given targets yields.

    `logits` [M, V] are those of the M real target positions, sentence after sentence: none is computed for padding.
    """

    logits: Tensor
    weights: Tensor | None  # [B, T, S]
    state: DecoderState


class Seq2Seq(nn.Module):
    """p(target | source) = product over t of p(target_t | target_<t, source), by an encoder and a decoder.

    It is a `StepModel` for the searches (`start`, `step`).

    Args:
        source_vocab_size: number of source pieces.
        target_vocab_size: number of target pieces.
        encoder: reads the source.
        decoder: predicts the target.
        embedding_size: E, size of the vector of a piece.
        embedding_dropout: probability of dropping an activation of an embedded piece.
        tie: which tables are one: none; 'output', target embedding and output layer (Press & Wolf 2017, needs
            decoder.feature_size = embedding_size); 'all', the source embedding too (needs a joint vocabulary).

    Raises:
        ValueError: sizes of tied tables differ.
    """

    def __init__(
        self,
        source_vocab_size: int,
        target_vocab_size: int,
        *,
        encoder: EncoderFactory = RecurrentEncoder,
        decoder: DecoderFactory = RecurrentDecoder,
        embedding_size: int = 256,
        embedding_dropout: float = 0.0,
        tie: Literal["none", "output", "all"] = "none",
    ) -> None:
        super().__init__()
        self.source_embedding = PieceEmbedding(source_vocab_size, embedding_size, dropout=embedding_dropout)
        self.target_embedding = PieceEmbedding(target_vocab_size, embedding_size, dropout=embedding_dropout)
        self.encoder = encoder(embedding_size)
        self.decoder = decoder(embedding_size, self.encoder)
        self.output = LinearOutput(self.decoder.feature_size, target_vocab_size)
        if tie != "none":
            self._tie(tie)

    def _tie(self, tie: Literal["output", "all"]) -> None:
        target = self.target_embedding.table.weight
        if self.output.layer.weight.shape != target.shape:
            feature, embedding = self.decoder.feature_size, target.shape[1]
            raise ValueError(f"model.tie={tie} needs decoder.feature_size ({feature}) = embedding_size ({embedding})")
        self.output.layer.weight = self.target_embedding.table.weight
        if tie == "all":
            if self.source_embedding.table.weight.shape != target.shape:
                raise ValueError("model.tie=all needs one vocabulary for both sides: set data.codec.joint to true")
            self.source_embedding.table.weight = self.target_embedding.table.weight

    def encode(self, source_ids: Int[Tensor, "B S"], source_lengths: Int[Tensor, "B"]) -> EncoderOutput:
        return self.encoder(self.source_embedding(source_ids), source_lengths)

    def forward(self, batch: Batch) -> Seq2SeqOutput:
        """Teacher forcing: every position sees the true pieces before it."""
        memory, state = self.start(batch.source_ids, batch.source_lengths)
        embedded = self.target_embedding(batch.target_input_ids)  # [B, T, E]
        features, weights, state = self.decoder(embedded, memory, state)
        return Seq2SeqOutput(self.output(features[batch.target_mask]), weights, state)

    def start(self, source_ids: Int[Tensor, "B S"], source_lengths: Int[Tensor, "B"]) -> tuple[Memory, DecoderState]:
        return self.decoder.start(self.encode(source_ids, source_lengths))

    def step(
        self, tokens: Int[Tensor, "N"], memory: Memory, state: DecoderState
    ) -> tuple[Float[Tensor, "N V"], Float[Tensor, "N S"] | None, DecoderState]:
        """Log-probabilities of the next piece of each hypothesis, given its last."""
        features, weights, state = self.decoder.step(self.target_embedding(tokens), memory, state)
        return at_least_float32(self.output(features)).log_softmax(dim=-1), weights, state
