"""Pieces and their ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from s2s_lit.types import UNK

SPECIALS = ("<pad>", "<unk>", "<s>", "</s>")
"""The first four pieces of every vocabulary, at the ids PAD, UNK, BOS, EOS."""


class Vocabulary:
    """A list of pieces whose positions are their ids; the first four are the specials.

    Args:
        pieces: All pieces in the order of their ids, starting with `SPECIALS`, none twice.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        self._ids = {piece: i for i, piece in enumerate(self.pieces)}
        if self.pieces[: len(SPECIALS)] != SPECIALS:
            raise ValueError(f"a vocabulary starts with {SPECIALS}, not {self.pieces[: len(SPECIALS)]}")
        if len(self._ids) != len(self.pieces):
            raise ValueError("a vocabulary holds each piece once")

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, pieces: Iterable[str]) -> list[int]:
        """The ids of `pieces`, UNK for those that are not in the vocabulary."""
        ids = self._ids
        return [ids.get(piece, UNK) for piece in pieces]
