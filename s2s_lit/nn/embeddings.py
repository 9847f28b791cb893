"""Embeddings of tokens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from s2s_lit.checks import below_one
from s2s_lit.nn.dropout import SequenceDropout
from s2s_lit.types import EOS, UNK


class TokenEmbedding(nn.Module):
    """Looks up a vector for each token.

    Entries start as N(0, 1/E), so that a vector has length one and a table that is also the output layer gives logits
    of unit scale.

    Args:
        vocab_size: V, number of tokens.
        embedding_size: E, size of a vector.
        dropout: Probability of dropping an activation of a looked-up vector.
        vectors: File of pretrained vectors, as word2vec and GloVe write them (.gz too), that a new run starts with.
            A token that is not in it keeps its random start. The module itself reads no file.
        frozen: The table is never trained (nor is what is tied to it).

    Attributes:
        variational: Whether one dropout mask is drawn for all positions of a sentence.
    """

    variational: ClassVar[bool] = False

    def __init__(
        self,
        vocab_size: int,
        embedding_size: int,
        *,
        dropout: float = 0.0,
        vectors: Path | None = None,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        self.table = nn.Embedding(vocab_size, embedding_size)
        nn.init.normal_(self.table.weight, std=embedding_size**-0.5)
        self.table.weight.requires_grad_(not frozen)
        self.dropout = SequenceDropout(dropout, variational=self.variational)
        self.vectors = vectors
        self.frozen = frozen

    @property
    def vocab_size(self) -> int:
        return self.table.num_embeddings

    @property
    def embedding_size(self) -> int:
        return self.table.embedding_dim

    @torch.no_grad()
    def start_from(self, ids: Int[Tensor, "N"], vectors: Float[Tensor, "N E"]) -> None:
        """Put these vectors into the rows `ids`."""
        self.table.weight[ids] = vectors.to(self.table.weight)

    def forward(self, ids: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape E"]:
        return self.dropout(self.table(ids))


class WordDropoutEmbedding(TokenEmbedding):
    """Word dropout: in training, a position is seen as UNK with probability p (Bowman 2016, section 3.1).

    Each position is drawn for itself; the special tokens stay.

    Args:
        word_dropout: Probability p.
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_size: int,
        *,
        word_dropout: float = 0.1,
        dropout: float = 0.0,
        vectors: Path | None = None,
        frozen: bool = False,
    ) -> None:
        super().__init__(vocab_size, embedding_size, dropout=dropout, vectors=vectors, frozen=frozen)
        self.word_dropout = below_one("word_dropout", word_dropout)

    def forward(self, ids: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape E"]:
        if self.training and self.word_dropout:
            dropped = torch.rand(ids.shape, device=ids.device) < self.word_dropout
            ids = ids.masked_fill(dropped & (ids > EOS), UNK)
        return super().forward(ids)


class VariationalEmbedding(WordDropoutEmbedding):
    """Variational dropout of an embedding (Gal & Ghahramani 2016, sections 4.1 and 4.2).

    In training, word types are dropped: with probability p, a token's vector is zero wherever it stands in a sentence,
    else it is divided by 1 - p. And activations are dropped by one mask for all positions of a sentence.

    Args:
        word_dropout: Probability p of dropping a token from a sentence.
        dropout: Probability of dropping an activation from all positions of a sentence.
    """

    variational = True

    def forward(self, ids: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape E"]:
        vectors = self.table(ids)
        if self.training and self.word_dropout:
            kept = _same_for_equal(torch.rand(ids.shape, device=ids.device), ids) >= self.word_dropout
            vectors = vectors * (kept / (1 - self.word_dropout)).unsqueeze(-1).to(vectors)
        return self.dropout(vectors)


def _same_for_equal(draws: Float[Tensor, "*shape"], ids: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Each position takes the draw of its token's first position in the sentence; without a sentence, its own."""
    if ids.ndim < 2:
        return draws
    first = (ids.unsqueeze(-1) == ids.unsqueeze(-2)).byte().argmax(dim=-1)  # [B, T]: the first of the largest
    return draws.gather(-1, first)


EmbeddingFactory = Callable[[int, int], TokenEmbedding]
"""Makes an embedding from (vocab_size, embedding_size); or one that is ready."""
