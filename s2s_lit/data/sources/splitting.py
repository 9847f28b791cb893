"""Splits for a corpus that has none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.rows import Malformed, Row, Rows, value_at
from s2s_lit.errors import UserError
from s2s_lit.text.normalize import normalize


class HashSplit(CorpusSource):
    """Takes further splits off the training split of a corpus, by a hash of the text in one column.

    A row's split is a function of that text and the seed alone: it stays when rows are added, left out or come in
    another order, and texts that are equal but for case, white space or Unicode form are never in two splits. What is
    not taken off, and rows without text there, is the training split. Reading any of them reads the whole.

    Args:
        source: The corpus; splits that it has besides are kept.
        column: Whose text is hashed, a column's name or a dotted path: that of the sources or that of the targets.
        fractions: Which fraction of the texts each new split gets.
        seed: Another seed, other splits.
        data_dir: The folder of the corpus, if it does not name one itself.
    """

    def __init__(
        self,
        *,
        source: CorpusSource,
        column: str,
        fractions: dict[str, float],
        seed: int = 0,
        data_dir: Path | None = None,
    ) -> None:
        if not fractions or min(fractions.values()) <= 0 or sum(fractions.values()) >= 1 or "train" in fractions:
            raise UserError(
                f"the fractions of splits besides train must be above 0 and leave something to it, not {fractions} "
                "(data.corpus.fractions)"
            )
        self.source = source
        self.column = column
        self.fractions = fractions
        self.seed = seed
        self.look_in(data_dir)

    def look_in(self, folder: Path | None) -> None:
        super().look_in(folder)
        self.source.look_in(self.data_dir)

    def identity(self) -> dict[str, Any]:
        fractions = {f"fractions.{split}": fraction for split, fraction in self.fractions.items()}
        return {**self.source.identity(), "split_by": self.column, **fractions, "split_seed": self.seed}

    def splits(self, *, streaming: bool) -> Sequence[str]:
        own = self.source.splits(streaming=streaming)
        for split in self.fractions:
            if there := set(self.aliases(split)) & set(own):
                raise UserError(f"the data has a split {min(there)!r} already (data.corpus.fractions)")
        return [*own, *self.fractions]

    def split(self, name: str, *, streaming: bool) -> Rows:
        if name not in self.fractions and name not in self.aliases("train"):
            return self.source.split(name, streaming=streaming)
        rows = self.source.rows("train", streaming=streaming)
        wanted = name if name in self.fractions else "train"
        return SplitRows(rows, self.column, self.split_of, wanted)

    def split_of(self, row: Row | Malformed) -> str:
        """The split that a row of the source's training split is in."""
        text = None if isinstance(row, Malformed) else value_at(row, self.column)
        if not isinstance(text, str):
            return "train"
        key = f"{self.seed} {normalize(text, 'NFKC').casefold()}".encode(errors="surrogatepass")
        place = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) / 2**64
        for split, fraction in self.fractions.items():
            if place < fraction:
                return split
            place -= fraction
        return "train"


class SplitRows(Rows):
    """Those rows that are in a split, with the numbers and shards that they have among all.

    Args:
        rows: All rows.
        column: What the split of a row depends on.
        split_of: The split of each.
        name: The split.
    """

    def __init__(self, rows: Rows, column: str, split_of: Callable[[Row | Malformed], str], name: str) -> None:
        self._rows = rows
        self._column = column
        self._split_of = split_of
        self._name = name
        self.num_shards = rows.num_shards

    def numbered(self, shards: Iterable[int]) -> Iterator[tuple[int, Row | Malformed]]:
        return (each for each in self._rows.numbered(shards) if self._split_of(each[1]) == self._name)

    def place(self, number: int) -> str:
        return self._rows.place(number)

    def require(self, *columns: str, optional: Sequence[str] = ()) -> None:
        self._rows.require(*columns, self._column, optional=optional)
