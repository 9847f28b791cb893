"""Tokens and their ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from s2s_lit.types import UNK

SPECIALS = ("<pad>", "<unk>", "<s>", "</s>")
"""The first four tokens of every vocabulary, at the ids PAD, UNK, BOS, EOS."""


class Vocabulary:
    """A list of tokens whose positions are their ids; the first four are the specials.

    Args:
        tokens: All tokens in the order of their ids, starting with `SPECIALS`, none twice.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tuple(tokens)
        self._ids = {token: i for i, token in enumerate(self.tokens) if i >= len(SPECIALS)}
        if self.tokens[: len(SPECIALS)] != SPECIALS:
            raise ValueError(f"a vocabulary starts with {SPECIALS}, not {self.tokens[: len(SPECIALS)]}")
        if len(set(self.tokens)) != len(self.tokens):
            raise ValueError("a vocabulary holds each token once")

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The ids of `tokens`, UNK for those that are not in the vocabulary: no text says where a sentence ends."""
        ids = self._ids
        return [ids.get(token, UNK) for token in tokens]
