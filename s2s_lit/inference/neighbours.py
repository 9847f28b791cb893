"""Which tokens have vectors near to each other in a trained network, and a picture of them."""

from __future__ import annotations

import torch
from matplotlib.figure import Figure
from torch import Tensor

from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.fields.text import TextField
from s2s_lit.errors import UserError, did_you_mean
from s2s_lit.models.base import Model
from s2s_lit.text.tokenizer import Tokenizer
from s2s_lit.text.vocabulary import SPECIALS
from s2s_lit.text.words import JOINER
from s2s_lit.tracking.records.embedding_maps import embedding_figure
from s2s_lit.types import UNK

DRAWN = 150  # tokens of the picture


def vectors_of(model: Model, fields: Fields, name: str) -> tuple[TextField, Tensor]:
    """A text field and its embedding's table [V, E].

    Raises:
        UserError: The model has no embedding of that field.
    """
    embeddings = model.embeddings
    if name not in embeddings:
        raise UserError(f"--side {name}: this model has embeddings of {', '.join(embeddings)}")
    table: Tensor = embeddings[name].table.weight.detach().float().cpu()
    return fields.text_fields[name], table


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


def picture(model: Model, fields: Fields, name: str) -> Figure:
    """The most frequent tokens of a field; ids are in the order of counts, or of sentencepiece's scores."""
    field, vectors = vectors_of(model, fields, name)
    tokenizer = field.tokenizer
    start, stop = len(SPECIALS), len(SPECIALS) + DRAWN
    tokens = [token.replace(JOINER, "·") for token in tokenizer.tokens[start:stop]]  # which the picture's font lacks
    return embedding_figure(vectors[start:stop].numpy(), tokens, title=f"{name} embedding, {len(tokens)} first tokens")
