"""A recurrent language model (Mikolov 2010; with an LSTM: Sundermeyer 2012)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor, nn

from s2s_lit.checks import at_least
from s2s_lit.models.base import Model
from s2s_lit.nn.assembly import made
from s2s_lit.nn.dropout import SequenceDropout
from s2s_lit.nn.embeddings import EmbeddingFactory, TokenEmbedding
from s2s_lit.nn.outputs.base import OutputFactory
from s2s_lit.nn.outputs.linear import LinearOutput
from s2s_lit.nn.recurrent import LSTM, RecurrenceFactory
from s2s_lit.types import (
    TARGET,
    Decoded,
    DecoderState,
    Encoded,
    Inputs,
    ModelOutput,
    RecurrentState,
    Target,
    at_least_float32,
)


class LanguageModel(Model):
    """p(text) = product over t of p(token_t | token_<t): h = recurrence(y), feature_t = dropout(h_t) or dropout(W h_t).

    It reads no input. W is there only where the output layer is tied and the recurrence has another size than the
    embedding (Inan 2017, section 2).

    Args:
        sizes: Tokens of the vocabulary of `target`.
        recurrence: The recurrent layers.
        output: Scores the tokens.
        embedding_size: E, size of the vector of a token.
        embedding: Looks up the tokens.
        dropout: Probability of dropping an activation of the feature.
        variational: One dropout mask for all positions of a text (Gal & Ghahramani 2016).
        tie: Which tables are one: none; 'output', embedding and output layer (Press & Wolf 2017).

    Raises:
        ValueError: embedding_size is less than one, or the output copies.
    """

    reads = ()

    def __init__(
        self,
        sizes: Mapping[str, int],
        *,
        recurrence: RecurrenceFactory = LSTM,
        output: OutputFactory = LinearOutput,
        embedding_size: int = 256,
        embedding: EmbeddingFactory = TokenEmbedding,
        dropout: float = 0.0,
        variational: bool = False,
        tie: Literal["none", "output"] = "output",
    ) -> None:
        super().__init__()
        at_least("model.embedding_size", embedding_size, 1)
        self.embedding = made(embedding, vocab_size=sizes[TARGET], embedding_size=embedding_size)
        self.recurrence = made(recurrence, input_size=embedding_size, bidirectional=False)
        size = self.recurrence.output_size
        projects = tie == "output" and size != embedding_size
        self.projection = nn.Linear(size, embedding_size, bias=False) if projects else None
        self.dropout = SequenceDropout(dropout, variational=variational)
        self.output = made(output, feature_size=embedding_size if projects else size, vocab_size=sizes[TARGET])
        if self.output.copies:
            raise ValueError(f"model.output={type(self.output).__name__} copies, and a language model has no input")
        if tie == "output":
            self.output.layer.weight = self.embedding.table.weight

    @property
    def attends(self) -> bool:
        return False

    @property
    def embeddings(self) -> dict[str, TokenEmbedding]:
        return {TARGET: self.embedding}

    def forward(self, inputs: Inputs, target: Target, state: DecoderState | None = None) -> ModelOutput:
        carried = None if state is None else RecurrentState(state["hidden"], state.get("cell"))
        hidden, final = self.recurrence(self.embedding(target.inputs), carried)  # [B, T, H]
        features = self._features(hidden)
        decoded = Decoded(features, hidden, None, _pack(final))
        return ModelOutput(self.output(features[target.mask], None, None), decoded)

    def start(self, inputs: Inputs) -> tuple[Encoded, DecoderState]:
        table = self.embedding.table.weight
        zeros = table.new_zeros(inputs.size, self.recurrence.num_layers, self.recurrence.state_size)
        nothing = table.new_zeros(inputs.size, 0).bool()
        return Encoded(mask=nothing), _pack(RecurrentState(zeros, zeros if self.recurrence.has_cell else None))

    def step(
        self, tokens: Int[Tensor, "N"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "N V"], Float[Tensor, "N S"] | None, DecoderState]:
        carried = RecurrentState(state["hidden"], state.get("cell"))
        hidden, final = self.recurrence(self.embedding(tokens).unsqueeze(1), carried)  # [N, 1, H]
        logits = self.output(self._features(hidden).squeeze(1), None, None)
        return at_least_float32(logits).log_softmax(dim=-1), None, state.updated(**_pack(final))

    def _features(self, hidden: Float[Tensor, "B T H"]) -> Float[Tensor, "B T F"]:
        return self.dropout(hidden if self.projection is None else self.projection(hidden))


def _pack(state: RecurrentState) -> DecoderState:
    if state.cell is None:
        return DecoderState(hidden=state.hidden)
    return DecoderState(hidden=state.hidden, cell=state.cell)
