"""The contract of a corpus: named splits of rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from s2s_lit.data.sources.rows import Rows, listed
from s2s_lit.errors import UserError

SAME_SPLIT = (("train", "training"), ("validation", "valid", "val", "dev"), ("test", "testing", "eval", "evaluation"))
"""Names of the same split."""


class CorpusSource(ABC):
    """A corpus with named splits.

    Attributes:
        data_dir: the folder in which relative names of files are looked for; None is the working directory.
    """

    data_dir: Path | None = None

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What names this corpus in a run's records: strings and numbers."""

    @abstractmethod
    def splits(self, *, streaming: bool) -> Sequence[str]:
        """The splits' names."""

    @abstractmethod
    def split(self, name: str, *, streaming: bool) -> Rows:
        """The split of that name, one of `splits`."""

    def look_in(self, folder: Path | None) -> None:
        """Makes it the folder of a corpus that has none of its own; one that is made of others tells them."""
        self.data_dir = self.data_dir or folder

    def aliases(self, split: str) -> list[str]:
        """The names under which a split may go, itself first."""
        return [split, *(alias for names in SAME_SPLIT if split in names for alias in names if alias != split)]

    def rows(self, split: str, *, streaming: bool) -> Rows:
        """The rows of a split; `validation` also finds `valid`, `val` and `dev`, `test` and `train` likewise.

        Raises:
            UserError: there is no such split, or the corpus cannot be read.
        """
        available = self.splits(streaming=streaming)
        for name in self.aliases(split):
            if name in available:
                return self.split(name, streaming=streaming)
        raise UserError(f"The data has no split {split!r}; it has {listed(available)}.")
