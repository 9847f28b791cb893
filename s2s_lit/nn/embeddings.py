"""Embeddings of pieces."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float, Int
from torch import Tensor, nn


class PieceEmbedding(nn.Module):
    """Looks up a vector for each piece.

    Entries start as N(0, 1/E), so that a vector has length one and a table that is also the output layer gives logits
    of unit scale.

    Args:
        vocab_size: V.
        embedding_size: E.
        dropout: probability of dropping an activation of a looked-up vector.
    """

    def __init__(self, vocab_size: int, embedding_size: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.table = nn.Embedding(vocab_size, embedding_size)
        nn.init.normal_(self.table.weight, std=embedding_size**-0.5)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape E"]:
        return self.dropout(self.table(ids))


EmbeddingFactory = Callable[[int, int], PieceEmbedding]
"""Makes an embedding from (vocab_size, embedding_size)."""
