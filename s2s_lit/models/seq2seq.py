"""The encoder-decoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor

from s2s_lit.checks import at_least
from s2s_lit.models.base import Model
from s2s_lit.nn.assembly import fitting, made
from s2s_lit.nn.decoders.base import Decoder, DecoderFactory
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.embeddings import EmbeddingFactory, TokenEmbedding
from s2s_lit.nn.encoders.base import EncoderFactory
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.outputs.base import OutputFactory
from s2s_lit.nn.outputs.linear import LinearOutput
from s2s_lit.types import (
    DecoderState,
    Encoded,
    EncoderOutput,
    Inputs,
    ModelOutput,
    Sequences,
    Target,
    at_least_float32,
)


class Seq2Seq(Model):
    """p(target | source) = product over t of p(target_t | target_<t, source), by an encoder and a decoder.

    It is a `StepModel` for the searches (`start`, `step`). Each part is a factory, or a module that is ready.

    Args:
        sizes: Tokens of the vocabularies of `source` and `target`.
        encoder: Reads the source.
        decoder: Predicts the target.
        output: Scores the tokens.
        embedding_size: E, size of the vector of a token.
        source_embedding: Looks up the source tokens.
        target_embedding: Looks up the target tokens.
        tie: Which tables are one: none; 'output', target embedding and output layer (Press & Wolf 2017, needs
            decoder.feature_size = embedding_size); 'embeddings', both embeddings (needs a shared tokenizer); 'all'
            three.

    Raises:
        ValueError: embedding_size is less than one; sizes of tied tables differ, or one is frozen and one is not; or
            the output copies, and there is no attention or no shared vocabulary.
    """

    reads = ("source",)

    def __init__(
        self,
        sizes: Mapping[str, int],
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
        self.source_embedding = made(source_embedding, vocab_size=sizes["source"], embedding_size=embedding_size)
        self.target_embedding = made(target_embedding, vocab_size=sizes["target"], embedding_size=embedding_size)
        self.encoder = made(encoder, input_size=embedding_size)
        self.decoder = fitting(
            decoder if isinstance(decoder, Decoder) else decoder(embedding_size, self.encoder),
            input_size=embedding_size,
            encoder_size=self.encoder.encoder_size,
        )
        self.output = made(output, feature_size=self.decoder.feature_size, vocab_size=sizes["target"])
        if self.output.copies:
            self._check_copying(sizes)
        if tie in ("output", "all"):
            self._tie_output(tie)
        if tie in ("embeddings", "all"):
            self._tie_embeddings(tie)

    @property
    def attends(self) -> bool:
        return self.decoder.attention is not None

    @property
    def leaves_out(self) -> bool:
        return self.decoder.attention is None  # what normalizes the encoder's outputs then has no use

    @property
    def embeddings(self) -> dict[str, TokenEmbedding]:
        return {"source": self.source_embedding, "target": self.target_embedding}

    @property
    def copied_input(self) -> str | None:
        return "source" if self.output.copies else None

    def _check_copying(self, sizes: Mapping[str, int]) -> None:
        name = type(self.output).__name__
        if self.decoder.attention is None:
            raise ValueError(f"model.output={name} points with the attention: set model.decoder.attention")
        if sizes["source"] != sizes["target"]:
            raise ValueError(f"model.output={name} needs one vocabulary for both fields: share data.tokenizer")

    def _tie_output(self, tie: str) -> None:
        target = self.target_embedding.table.weight
        if self.output.layer.weight.shape != target.shape:
            feature, embedding = self.decoder.feature_size, target.shape[1]
            raise ValueError(f"model.tie={tie} needs decoder.feature_size ({feature}) = embedding_size ({embedding})")
        self.output.layer.weight = target

    def _tie_embeddings(self, tie: str) -> None:
        target = self.target_embedding.table.weight
        if self.source_embedding.table.weight.shape != target.shape:
            raise ValueError(f"model.tie={tie} needs one vocabulary for both fields: share data.tokenizer")
        if self.source_embedding.frozen != self.target_embedding.frozen:
            raise ValueError(f"model.tie={tie} makes both embeddings one: set `frozen` of both or of neither")
        self.source_embedding.table.weight = target

    def encode(self, source: Sequences) -> EncoderOutput:
        return self.encoder(self.source_embedding(source.values), source.lengths)

    def forward(self, inputs: Inputs, target: Target, state: DecoderState | None = None) -> ModelOutput:
        encoded, start = self.start(inputs)
        decoded = self.decoder(self.target_embedding(target.inputs), encoded, start if state is None else state)
        mask = target.mask
        weights = source_ids = None
        if self.output.copies and decoded.weights is not None:
            weights, source_ids = decoded.weights[mask], inputs["source"].values[mask.nonzero()[:, 0]]  # [M, S] each
        return ModelOutput(self.output(decoded.features[mask], weights, source_ids), decoded)

    def start(self, inputs: Inputs) -> tuple[Encoded, DecoderState]:
        encoded, state = self.decoder.start(self.encode(inputs["source"]))
        return encoded.updated(source_ids=inputs["source"].values), state

    def step(
        self, tokens: Int[Tensor, "N"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "N V"], Float[Tensor, "N S"] | None, DecoderState]:
        features, weights, state = self.decoder.step(self.target_embedding(tokens), encoded, state)
        pointing, source_ids = None, None
        if self.output.copies:
            pointing, source_ids = weights, encoded["source_ids"]
            source_ids = source_ids.repeat_interleave(len(tokens) // len(source_ids), dim=0)  # [N, S]
        logits = self.output(features, pointing, source_ids)
        return at_least_float32(logits).log_softmax(dim=-1), weights, state
