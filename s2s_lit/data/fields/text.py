"""Text as a field."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch

from s2s_lit.data.fields.base import Field
from s2s_lit.data.sources.rows import INVALID_UTF8, LONGEST, MISSING_FIELD, NOT_TEXT, NUL, TOO_LONG, Malformed
from s2s_lit.text.normalize import Form, normalize
from s2s_lit.text.tokenizer import Tokenizer, TokenizerBuilder
from s2s_lit.types import EOS, PAD, UNK, Sequences


class TextField(Field):
    """A line of text, cut into tokens.

    Args:
        tokenizer: Builds the tokenizer of this field alone; null: the field shares `data.tokenizer`.
        max_length: Most tokens of a training example; longer ones are left out and counted.
        unicode_form: Unicode normalization of the text: NFC, or NFKC, which also replaces full-width letters, ligatures
            and the like, in references too.
    """

    def __init__(
        self, *, tokenizer: TokenizerBuilder | None = None, max_length: int = 100, unicode_form: Form = "NFC"
    ) -> None:
        super().__init__(max_length=max_length)
        self.builder = tokenizer
        self.unicode_form = unicode_form
        self._tokenizer: Tokenizer | None = None

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer; there is none before it was built, or taken from a checkpoint."""
        if self._tokenizer is None:
            raise RuntimeError("the field has no tokenizer yet: Fields.build or Fields.load_state gives it one")
        return self._tokenizer

    @tokenizer.setter
    def tokenizer(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.samples = tokenizer.samples

    @property
    def is_ready(self) -> bool:
        """Whether there is a tokenizer."""
        return self._tokenizer is not None

    @property
    def size(self) -> int:
        return len(self.tokenizer)

    @property
    def longest(self) -> int:
        return self.max_length + 1  # with EOS

    def read(self, cell: Any) -> str | Malformed:
        return _wrong(cell) or normalize(cell, self.unicode_form)

    def encode(self, values: Sequence[str]) -> list[list[int]]:
        return self.tokenizer.encode_batch(values)

    def sample(self, text: str, seed: int) -> list[int]:
        return self.tokenizer.sample(text, seed)

    def unknown(self, positions: list[int]) -> int:
        return positions.count(UNK)

    def marked(self, positions: list[int]) -> list[int]:
        return [*positions, EOS]

    def storage(self) -> TokenLists:
        return TokenLists()

    def collate(self, examples: Sequence[list[int]], size: int = 0) -> Sequences:
        return pad(examples, size)

    def blank(self, count: int, length: int) -> Sequences:
        return Sequences(torch.full((count, length), UNK), torch.full((count,), length))

    def names(self, positions: Sequence[int]) -> list[str]:
        tokens = self.tokenizer.tokens
        return [tokens[i] for i in positions]


def pad(examples: Sequence[list[int]], size: int = 0) -> Sequences:
    """[B] lists of tokens -> [B, longest or `size`]; one pass over all tokens, no loop over examples."""
    lengths = np.fromiter(map(len, examples), np.int64, len(examples))
    ids = np.full((len(examples), max(int(lengths.max()), size)), PAD, np.int64)
    ids[np.arange(ids.shape[1]) < lengths[:, None]] = np.fromiter(chain(*examples), np.int64, int(lengths.sum()))
    return Sequences(torch.from_numpy(ids), torch.from_numpy(lengths))


class TokenLists:
    """Lists of token ids, end to end: four bytes a token."""

    def __init__(self) -> None:
        self._flat = array("i")
        self._ends = array("q", [0])

    def append(self, values: list[int]) -> None:
        self._flat.extend(values)
        self._ends.append(len(self._flat))

    def length(self, index: int) -> int:
        return self._ends[index + 1] - self._ends[index]

    def __getitem__(self, index: int) -> list[int]:
        return self._flat[self._ends[index] : self._ends[index + 1]].tolist()


def _wrong(text: Any) -> Malformed | None:
    if not isinstance(text, str):
        return MISSING_FIELD if text is None else NOT_TEXT
    if len(text) > LONGEST:
        return TOO_LONG
    if "\0" in text:
        return NUL
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:  # a surrogate: what a lenient decoder made of bytes that are no text
            return INVALID_UTF8
    return None
