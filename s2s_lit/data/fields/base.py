"""The contract of a field."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from s2s_lit.data.sources.rows import Malformed
from s2s_lit.errors import UserError
from s2s_lit.types import Sequences


class Field(ABC):
    """One named input or output of an example: how it is read from a row, measured, encoded and put into a batch.

    A value passes through `read` (a cell of a row becomes a clean value), `encode` (numbers, one or one vector for each
    position) and `collate` (many become one padded tensor).

    Args:
        max_length: Most positions of a training example; longer ones are left out and counted.
    """

    samples: bool = False
    """Whether `sample` gives anything but `encode`."""

    def __init__(self, *, max_length: int = 100) -> None:
        if max_length < 1:
            raise UserError(f"data.fields: max_length must be at least 1, not {max_length}")
        self.max_length = max_length

    @property
    @abstractmethod
    def size(self) -> int:
        """What a network must know of a position: how many tokens there are, or how many features it has."""

    @property
    def longest(self) -> int:
        """Most positions of a training example in a batch, marks counted."""
        return self.max_length

    @abstractmethod
    def read(self, cell: Any) -> Any | Malformed:
        """The clean value of a cell, or what is wrong with it."""

    def text(self, value: Any) -> str:
        """A clean value as it is shown, filtered and fingerprinted."""
        return str(value)

    @abstractmethod
    def encode(self, values: Sequence[Any]) -> list[Any]:
        """Of each clean value its positions, without marks."""

    def sample(self, text: str, seed: int) -> Any:
        """The positions of a training example, drawn anew; a function of both arguments, `seed` has 32 bits."""
        return self.encode([text])[0]

    def unknown(self, positions: Any) -> int:
        """How many of the positions the vocabulary lacks."""
        return 0

    def marked(self, positions: Any) -> Any:
        """An input's positions with the marks that a network needs."""
        return positions

    @abstractmethod
    def storage(self) -> Any:
        """An empty list-like for the positions of many examples, small in memory: `append`, `[i]`, `length(i)`."""

    @abstractmethod
    def collate(self, examples: Sequence[Any], size: int = 0) -> Sequences:
        """The positions of some examples as one padded tensor, at least `size` positions wide."""

    @abstractmethod
    def blank(self, count: int, length: int) -> Sequences:
        """Values without meaning: `count` examples of `length` positions."""

    def names(self, positions: Any) -> list[str]:
        """What each position is called in pictures and tables."""
        return [str(number) for number in range(len(positions))]
