"""The contract of every attention: prepare once per sentence, then ask position by position."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from s2s_lit.types import DecoderState, Encoded, at_least_float32


class Attention(nn.Module, ABC):
    """Weighs the source positions for a query and returns the mix of their values.

    weights[q] is a distribution over the real source positions,  context[q] = sum over s of weights[q, s] value[s].

    What an attention remembers from one target position to the next (an alignment, a coverage, the position itself)
    is kept in tensors of its own in the `DecoderState`, which `start` makes; most remember nothing. One that remembers
    extends this class or, if its weights depend on earlier ones, `SequentialAttention`. One that does not extends
    `IndependentAttention` or, if it is nothing but a score for each query and key, `ContentAttention`.

    Attributes:
        query_size: H, size of one query.
        encoder_size: M, size of one vector of the encoder's outputs.
        context_size: C, size of one context vector.
    """

    context_size: int

    def __init__(self, query_size: int, encoder_size: int) -> None:
        super().__init__()
        self.query_size = query_size
        self.encoder_size = encoder_size
        self.context_size = encoder_size

    def prepare(self, outputs: Float[Tensor, "B S M"], mask: Bool[Tensor, "B S"]) -> Encoded:
        """What is computed once per sentence: keys, values and mask."""
        return Encoded(keys=self.project_keys(outputs), values=outputs, mask=mask)

    def project_keys(self, outputs: Float[Tensor, "B S M"]) -> Float[Tensor, "B S A"]:
        """Keys from the encoder's outputs; the outputs themselves unless a subclass projects them."""
        return outputs

    def start(self, encoded: Encoded) -> DecoderState:
        """What is remembered before the first target position, B rows; nothing unless a subclass remembers."""
        return DecoderState()

    @abstractmethod
    def step(
        self, queries: Float[Tensor, "B K H"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "B K C"], Float[Tensor, "B K S"], DecoderState]:
        """Contexts and weights of one target position for the K hypotheses of each sentence.

        `state` has a row for each of the N = B * K hypotheses, those of a sentence side by side, and may hold tensors
        of the decoder too; the returned one is `state.updated(...)`.
        """

    def forward(
        self, queries: Float[Tensor, "B T H"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "B T C"], Float[Tensor, "B T S"], DecoderState]:
        """The same for T successive target positions of one hypothesis each (training)."""
        contexts, weights = [], []
        for query in queries.split(1, dim=1):
            context, weight, state = self.step(query, encoded, state)
            contexts.append(context)
            weights.append(weight)
        return torch.cat(contexts, dim=1), torch.cat(weights, dim=1), state


class IndependentAttention(Attention):
    """An attention that remembers nothing: all queries, of T positions or of K hypotheses, are asked at once."""

    @abstractmethod
    def attend(
        self, queries: Float[Tensor, "B Q H"], encoded: Encoded
    ) -> tuple[Float[Tensor, "B Q C"], Float[Tensor, "B Q S"]]:
        """Contexts and weights of any number of independent queries of each sentence."""

    def step(
        self, queries: Float[Tensor, "B K H"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "B K C"], Float[Tensor, "B K S"], DecoderState]:
        return *self.attend(queries, encoded), state

    def forward(
        self, queries: Float[Tensor, "B T H"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "B T C"], Float[Tensor, "B T S"], DecoderState]:
        return *self.attend(queries, encoded), state


class ContentAttention(IndependentAttention):
    """An attention that compares each query with each key.

    e[q, s] = score(query[q], key[s]),  weights[q] = softmax of e[q] over real s

    A subclass defines `score` and, if keys are projected, `project_keys`.
    """

    @abstractmethod
    def score(self, queries: Float[Tensor, "B Q H"], keys: Float[Tensor, "B S A"]) -> Float[Tensor, "B Q S"]:
        """The unnormalized scores e[q, s]; padding need not be thought of here."""

    def attend(
        self, queries: Float[Tensor, "B Q H"], encoded: Encoded
    ) -> tuple[Float[Tensor, "B Q C"], Float[Tensor, "B Q S"]]:
        weights = distribution(self.score(queries, encoded["keys"]), encoded["mask"].unsqueeze(1))
        return mix(weights, encoded["values"]), weights


class SequentialAttention(Attention):
    """An attention whose weights depend on those of earlier target positions: the weights are computed one position
    after the other, and nothing else is.

    Of a whole target all queries are projected before the loop, and all values are mixed after it.
    A subclass defines `start`, `weigh` and, if queries are projected, `project_queries`.
    """

    def project_queries(self, queries: Float[Tensor, "B Q H"]) -> Float[Tensor, "B Q A"]:
        """What a query contributes whatever the past is; the query itself unless a subclass projects it."""
        return queries

    @abstractmethod
    def weigh(
        self, queries: Float[Tensor, "B K A"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "B K S"], DecoderState]:
        """Weights of one target position from projected queries, and what is remembered after it (N = B * K rows)."""

    def step(
        self, queries: Float[Tensor, "B K H"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "B K C"], Float[Tensor, "B K S"], DecoderState]:
        weights, state = self.weigh(self.project_queries(queries), encoded, state)
        return mix(weights, encoded["values"]), weights, state

    def forward(
        self, queries: Float[Tensor, "B T H"], encoded: Encoded, state: DecoderState
    ) -> tuple[Float[Tensor, "B T C"], Float[Tensor, "B T S"], DecoderState]:
        rows = []
        for query in self.project_queries(queries).split(1, dim=1):
            row, state = self.weigh(query, encoded, state)
            rows.append(row)
        weights = torch.cat(rows, dim=1)
        return mix(weights, encoded["values"]), weights, state


def distribution(scores: Float[Tensor, "*B Q S"], visible: Bool[Tensor, "*#B #Q S"]) -> Float[Tensor, "*B Q S"]:
    """Softmax over the visible source positions (at least one for each query), zero elsewhere; at least float32."""
    scores = at_least_float32(scores)
    return scores.masked_fill(~visible, torch.finfo(scores.dtype).min).softmax(dim=-1)


def mix(weights: Float[Tensor, "*B Q S"], values: Float[Tensor, "*B S C"]) -> Float[Tensor, "*B Q C"]:
    """context[q] = sum over s of weights[q, s] value[s], in the precision of the values."""
    return weights.to(values.dtype) @ values


AttentionFactory = Callable[[int, int], Attention]
"""Makes an attention from (query_size, encoder_size); or one that is ready."""
ContentAttentionFactory = Callable[[int, int], ContentAttention]
"""The same, of one that compares each query with each key."""
