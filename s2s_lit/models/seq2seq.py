"""The encoder-decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor, nn

from s2s_lit.checks import at_least
from s2s_lit.nn.decoders.base import DecoderFactory
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.embeddings import EmbeddingFactory, TokenEmbedding
from s2s_lit.nn.encoders.base import EncoderFactory
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.outputs.base import OutputFactory
from s2s_lit.nn.outputs.linear import LinearOutput
from s2s_lit.types import Batch, Decoded, DecoderState, Encoded, EncoderOutput, at_least_float32


@dataclass(frozen=True)
class Seq2SeqOutput:
    """What a pass over given targets yields.

    `logits` [M, V] are those of the M real target positions, sentence after sentence: none is computed for padding.
    """

    logits: Tensor
    decoded: Decoded


class Seq2Seq(nn.Module):
    """p(target | source) = product over t of p(target_t | target_<t, source), by an encoder and a decoder.

    It is a `StepModel` for the searches (`start`, `step`).

    Args:
        source_vocab_size: number of source tokens.
        target_vocab_size: number of target tokens.
        encoder: reads the source.
        decoder: predicts the target.
        output: scores the tokens.
        embedding_size: E, size of the vector of a token.
        source_embedding: looks up the source tokens.
        target_embedding: looks up the target tokens.
        tie: which tables are one: none; 'output', target embedding and output layer (Press & Wolf 2017, needs
            decoder.feature_size = embedding_size); 'embeddings', both embeddings (needs a joint vocabulary); 'all'
            three.

    Raises:
        ValueError: embedding_size is less than one; sizes of tied tables differ, or one is frozen and one is not; or
            the output copies, and there is no attention or no joint vocabulary.
    """

    def __init__(
        self,
        source_vocab_size: int,
        target_vocab_size: int,
        *,
        encoder: EncoderFactory = RecurrentEncoder,
        decoder: DecoderFactory = RecurrentDecoder,
        output: OutputFactory = LinearOutput,
        embedding_size: int = 256,
        source_embedding: EmbeddingFactory = TokenEmbedding,
        target_embedding: EmbeddingFactory = TokenEmbedding,
        tie: Literal["none", "output", "embeddings", "all"] = "none",
    ) -> None:
        super().__init__()
        at_least("model.embedding_size", embedding_size, 1)
        self.source_embedding = source_embedding(source_vocab_size, embedding_size)
        self.target_embedding = target_embedding(target_vocab_size, embedding_size)
        self.encoder = encoder(embedding_size)
        self.decoder = decoder(embedding_size, self.encoder)
        self.output = output(self.decoder.feature_size, target_vocab_size)
        if self.output.copies:
            self._check_copying(source_vocab_size, target_vocab_size)
        if tie in ("output", "all"):
            self._tie_output(tie)
        if tie in ("embeddings", "all"):
            self._tie_embeddings(tie)

    def _check_copying(self, source_vocab_size: int, target_vocab_size: int) -> None:
        name = type(self.output).__name__
        if self.decoder.attention is None:
            raise ValueError(f"model.output={name} points with the attention: set model.decoder.attention")
        if source_vocab_size != target_vocab_size:
            raise ValueError(
                f"model.output={name} needs one vocabulary for both sides: set data.tokenizer.joint to true"
            )

    def _tie_output(self, tie: str) -> None:
        target = self.target_embedding.table.weight
        if self.output.layer.weight.shape != target.shape:
            feature, embedding = self.decoder.feature_size, target.shape[1]
            raise ValueError(f"model.tie={tie} needs decoder.feature_size ({feature}) = embedding_size ({embedding})")
        self.output.layer.weight = target

    def _tie_embeddings(self, tie: str) -> None:
        target = self.target_embedding.table.weight
        if self.source_embedding.table.weight.shape != target.shape:
            raise ValueError(f"model.tie={tie} needs one vocabulary for both sides: set data.tokenizer.joint to true")
        if self.source_embedding.frozen != self.target_embedding.frozen:
            raise ValueError(f"model.tie={tie} makes both embeddings one: set `frozen` of both or of neither")
        self.source_embedding.table.weight = target

    def encode(self, source_ids: Int[Tensor, "B S"], source_lengths: Int[Tensor, "B"]) -> EncoderOutput:
        return self.encoder(self.source_embedding(source_ids), source_lengths)

    def forward(self, batch: Batch, state: DecoderState | None = None) -> Seq2SeqOutput:
        """Teacher forcing: every position sees the true tokens before it.

        `state` is the decoder's before the batch's first target position, where that is not the start of a sentence.
        """
        encoded, start = self.start(batch.source_ids, batch.source_lengths)
        decoded = self.decoder(
            self.target_embedding(batch.target_input_ids), encoded, start if state is None else state
        )
        mask = batch.target_mask
        weights = source_ids = None
        if self.output.copies and decoded.weights is not None:
            weights, source_ids = decoded.weights[mask], batch.source_ids[mask.nonzero()[:, 0]]  # [M, S] each
        logits = self.output(decoded.features[mask], weights, source_ids)
        return Seq2SeqOutput(logits, decoded)

    def start(self, source_ids: Int[Tensor, "B S"], source_lengths: Int[Tensor, "B"]) -> tuple[Encoded, DecoderState]:
        encoded, state = self.decoder.start(self.encode(source_ids, source_lengths))
        return encoded.updated(source_ids=source_ids), state

    def step(
        self, tokens: Int[Tensor, "N"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "N V"], Float[Tensor, "N S"] | None, DecoderState]:
        """Log-probabilities of the next token of each hypothesis, given its last."""
        features, weights, state = self.decoder.step(self.target_embedding(tokens), encoded, state)
        pointing, source_ids = None, None
        if self.output.copies:
            pointing, source_ids = weights, encoded["source_ids"]
            source_ids = source_ids.repeat_interleave(len(tokens) // len(source_ids), dim=0)  # [N, S]
        logits = self.output(features, pointing, source_ids)
        return at_least_float32(logits).log_softmax(dim=-1), weights, state
