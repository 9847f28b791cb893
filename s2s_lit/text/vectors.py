"""Pretrained vectors in the text formats of word2vec and GloVe."""

from __future__ import annotations

import gzip
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from s2s_lit.errors import UserError
from s2s_lit.text.vocabulary import SPECIALS

_MARKS = "\u2581\uffed"  # where a word starts (sentencepiece), where a mark has no space (words)


def read_vectors(path: Path, tokens: Sequence[str], size: int) -> tuple[Tensor, Tensor]:
    """The vectors of those `tokens` that the file has.

    Each line is a token and its `size` numbers, parted by spaces; a first line of two numbers (word2vec) is passed
    over. A token takes the vector of its own spelling, else that without the marks of spaces (`▁man`: man), else that
    in lower case. The file is read once, line by line, and only what is found is kept.

    Returns:
        The tokens' ids [N] and vectors [N, size].

    Raises:
        UserError: the file cannot be read; a line has another width, or a value that is no number.
    """
    wanted = _spellings(tokens)
    best: dict[int, tuple[int, list[float]]] = {}
    for number, line in _lines(path):
        if number == 1 and _is_header(line):
            continue
        spelling, values = _entry(line, size, f"{path}:{number}")
        spelling = unicodedata.normalize("NFC", spelling)
        if spelling not in wanted:
            continue
        vector = _numbers(values, f"{path}:{number}")
        for rank, i in wanted[spelling]:
            if i not in best or rank < best[i][0]:
                best[i] = rank, vector
    ids = sorted(best)
    return torch.tensor(ids, dtype=torch.long), torch.tensor([best[i][1] for i in ids]).reshape(len(ids), size)


def _spellings(tokens: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """For each spelling the tokens that may take its vector: (how far it is from the token's own, id)."""
    wanted: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for i, token in enumerate(tokens):
        if token not in SPECIALS:
            bare = token.strip(_MARKS)
            for rank, spelling in enumerate(dict.fromkeys((token, bare, bare.lower()))):
                wanted[spelling].append((rank, i))
    return wanted


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, 1):  # bytes that are no UTF-8 belong to words that are no token
                if text := line.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace").rstrip():
                    yield number, text.replace("\t", " ")
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"The vectors {path} cannot be read (model.*_embedding.vectors): {error}") from error


def _is_header(line: str) -> bool:
    fields = line.split(" ")
    return len(fields) == 2 and all(field.isdecimal() for field in fields)


def _entry(line: str, size: int, place: str) -> tuple[str, list[str]]:
    """The token, which may have spaces of its own, and what stands for its numbers."""
    spelling, *values = line.rsplit(" ", size)
    word, space, last = spelling.rpartition(" ")
    if len(values) < size or (space and word and _is_number(last)):
        found = len(line.split(" ")) - 1
        raise UserError(
            f"{place}: this vector has {found} numbers, but model.embedding_size is {size}: take another file of "
            f"vectors, or set model.embedding_size={found}"
        )
    return spelling, values


def _numbers(values: Sequence[str], place: str) -> list[float]:
    for value in values:
        if not _is_number(value):
            raise UserError(f"{place}: {value!r} is no number")
    return [float(value) for value in values]


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")  # neither infinite nor nan
    except ValueError:
        return False
