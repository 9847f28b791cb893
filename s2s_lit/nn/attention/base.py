"""The contract of every attention: prepare once per sentence, then ask with any number of queries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from s2s_lit.types import Memory, at_least_float32


class Attention(nn.Module, ABC):
    """Weighs the source positions for a query and returns the mix of their values.

    e[q, s] = score(query[q], key[s]),  weights[q] = softmax of e[q] over real s
    context[q] = sum over s of weights[q, s] value[s]

    The Q queries of one sentence are independent of each other: the T positions of a whole target (training), the K
    hypotheses of a beam (search) or one. A subclass defines `score` and, if keys are projected, `project_keys`.

    Attributes:
        context_size: size of one context vector.
    """

    context_size: int

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.query_size = query_size
        self.context_size = memory_size

    def prepare(self, memory: Float[Tensor, "B S M"], mask: Bool[Tensor, "B S"]) -> Memory:
        """What is computed once per sentence: keys, values and mask."""
        return Memory(keys=self.project_keys(memory), values=memory, mask=mask)

    def project_keys(self, memory: Float[Tensor, "B S M"]) -> Float[Tensor, "B S A"]:
        """Keys from the encoder's memory; the memory itself unless a subclass projects it."""
        return memory

    @abstractmethod
    def score(self, queries: Float[Tensor, "B Q H"], keys: Float[Tensor, "B S A"]) -> Float[Tensor, "B Q S"]:
        """The unnormalized scores e[q, s]; padding need not be thought of here."""

    def forward(
        self, queries: Float[Tensor, "B Q H"], memory: Memory
    ) -> tuple[Float[Tensor, "B Q M"], Float[Tensor, "B Q S"]]:
        """Contexts and weights; weights are zero at padding and sum to one over real positions."""
        scores = at_least_float32(self.score(queries, memory["keys"]))
        scores = scores.masked_fill(~memory["mask"].unsqueeze(1), torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=-1)
        values = memory["values"]
        return weights.to(values.dtype) @ values, weights


AttentionFactory = Callable[[int, int], Attention]
"""Makes an attention from (query_size, memory_size)."""
