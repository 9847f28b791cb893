"""Which tokens have vectors near to each other in a trained network, and a picture of them."""

from __future__ import annotations

import torch
from matplotlib.figure import Figure
from torch import Tensor

from s2s_lit.errors import UserError, did_you_mean
from s2s_lit.tasks.base import Task
from s2s_lit.text.tokenizer import Tokenizer
from s2s_lit.text.vocabulary import SPECIALS
from s2s_lit.text.words import JOINER
from s2s_lit.tracking.records.embedding_maps import embedding_figure
from s2s_lit.types import UNK

DRAWN = 150  # tokens of the picture


def side_of(task: Task, side: str) -> tuple[Tokenizer, Tensor]:
    """The tokenizer of a side and its table [V, E]."""
    embedding = getattr(task.model, f"{side}_embedding")
    tokenizer: Tokenizer = getattr(task.tokenizers, side)
    table: Tensor = embedding.table.weight.detach().float().cpu()
    return tokenizer, table


def ids_of(word: str, tokenizer: Tokenizer) -> list[int]:
    """The ids of a normalized word: of the token that is spelled so, else of the tokens that it is cut into.

    Raises:
        UserError: the vocabulary does not know it.
    """
    if word in tokenizer.tokens[len(SPECIALS) :]:
        return [tokenizer.tokens.index(word)]
    ids = tokenizer.encode(word)
    if not ids or UNK in ids:
        hint = did_you_mean(word, tokenizer.tokens[len(SPECIALS) :], most=5)
        raise UserError(f"WORD, --word: the vocabulary has no {word!r}{hint}")
    return ids


def nearest(vectors: Tensor, ids: list[int], count: int) -> list[tuple[int, float]]:
    """The ids whose rows of `vectors` [V, E] have the largest cosine to the mean of rows `ids`, best first.

    The specials and `ids` themselves are left out.
    """
    cosines = torch.cosine_similarity(vectors, vectors[ids].mean(dim=0, keepdim=True))
    cosines[[*range(len(SPECIALS)), *ids]] = -torch.inf
    count = min(count, int(cosines.isfinite().sum()))
    found = cosines.topk(count)
    return list(zip(found.indices.tolist(), found.values.tolist(), strict=True))


def picture(task: Task, side: str) -> Figure:
    """The most frequent tokens of a side; ids are in the order of counts, or of sentencepiece's scores."""
    tokenizer, vectors = side_of(task, side)
    start, stop = len(SPECIALS), len(SPECIALS) + DRAWN
    tokens = [token.replace(JOINER, "·") for token in tokenizer.tokens[start:stop]]  # which the picture's font lacks
    return embedding_figure(vectors[start:stop].numpy(), tokens, title=f"{side} embedding, {len(tokens)} first tokens")
