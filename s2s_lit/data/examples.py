"""Rows to examples: columns, normalization, encoding, filters, and the count of what happened to each row."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from s2s_lit.data.filters import Filter
from s2s_lit.text.codec import CodecPair
from s2s_lit.text.normalize import normalize
from s2s_lit.types import EOS, UNK, Example

_CHUNK = 512  # rows encoded in one call


@dataclass
class SplitReport:
    """What was read of a split, what was kept, and why the rest was not."""

    rows: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    pieces: Counter[str] = field(default_factory=Counter)
    """Of all rows' texts, by side."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Those of them that are UNK."""
    _digests: int = 0

    def read(self, source: str, target: str) -> None:
        """Adds a pair's text to the fingerprint: a sum, so that the order of reading does not matter."""
        digest = hashlib.sha256(f"{source}\n{target}".encode(errors="surrogatepass")).digest()
        self._digests += int.from_bytes(digest)

    def encoded(self, side: str, ids: list[int]) -> None:
        """Counts the pieces of a text."""
        self.pieces[side] += len(ids)
        self.unknown[side] += ids.count(UNK)

    def share_unknown(self, side: str) -> float:
        """The share of the side's pieces that the vocabulary lacks."""
        return self.unknown[side] / max(self.pieces[side], 1)

    def as_dict(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "kept": self.kept,
            "dropped": dict(self.dropped),
            "unknown": {side: self.share_unknown(side) for side in self.pieces},
            "fingerprint": f"{self._digests % 2**256:064x}",
        }


@dataclass(frozen=True)
class PairReader:
    """Reads the two text columns of rows."""

    source_column: str
    target_column: str

    def pair(self, row: Mapping[str, Any]) -> tuple[str, str] | None:
        """The normalized texts of a row; None if it is malformed: a field is missing or is not text."""
        source, target = row.get(self.source_column), row.get(self.target_column)
        if not isinstance(source, str) or not isinstance(target, str):
            return None
        return normalize(source), normalize(target)

    def pairs(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
        """The normalized texts of all rows that are not malformed."""
        return (pair for row in rows if (pair := self.pair(row)) is not None)


@dataclass(frozen=True)
class Encoder:
    """Turns numbered rows into examples; with filters for training, without for evaluation."""

    reader: PairReader
    codecs: CodecPair
    filters: Sequence[Filter] = ()

    def __call__(self, rows: Iterable[tuple[int, Mapping[str, Any]]], report: SplitReport) -> Iterator[Example]:
        """The examples of the rows that stay, in their order; `report` counts every row as it passes."""
        remaining = iter(rows)
        while chunk := list(islice(remaining, _CHUNK)):
            yield from self._chunk(chunk, report)

    def _chunk(self, chunk: list[tuple[int, Mapping[str, Any]]], report: SplitReport) -> Iterator[Example]:
        read = [(number, pair) for number, row in chunk if (pair := self.reader.pair(row)) is not None]
        report.rows += len(chunk)
        if len(read) < len(chunk):
            report.dropped["malformed"] += len(chunk) - len(read)
        sources = self.codecs.source.encode_batch([source for _, (source, _) in read])
        targets = self.codecs.target.encode_batch([target for _, (_, target) in read])
        for (number, (source, target)), source_ids, target_ids in zip(read, sources, targets, strict=True):
            report.read(source, target)
            report.encoded("source", source_ids)
            report.encoded("target", target_ids)
            source_ids.append(EOS)
            example = Example(source_ids, target_ids, source, target, number)
            reasons = (reason for keep in self.filters if (reason := keep.reason(example)) is not None)
            if (reason := next(reasons, None)) is not None:
                report.dropped[reason] += 1
                continue
            report.kept += 1
            yield example


@dataclass(frozen=True)
class Resegmenter:
    """Gives training sentences other pieces each epoch, for codecs that sample.

    What is drawn is a function of (seed, epoch, row, side): who draws it and when changes nothing.
    """

    codecs: CodecPair
    seed: int

    def __call__(self, example: Example, epoch: int) -> Example:
        """The same sentence pair; lengths may differ, also beyond what a filter let pass."""
        source = self.codecs.source.sample(example.source_text, self._seed(epoch, example.row, "source"))
        target = self.codecs.target.sample(example.target_text, self._seed(epoch, example.row, "target"))
        return replace(example, source_ids=[*source, EOS], target_ids=target)

    def _seed(self, epoch: int, row: int, side: str) -> int:
        name = f"{self.seed} {epoch} {row} {side}".encode()
        return int.from_bytes(hashlib.blake2b(name, digest_size=4).digest())


class EncodedCorpus(Sequence[Example]):
    """Examples in memory: ids as 32-bit integers in one block a side, four bytes a piece.

    Args:
        examples: Read once.
        report: What their encoder counted.
    """

    def __init__(self, examples: Iterable[Example], report: SplitReport) -> None:
        self.report = report
        self._source, self._target = _Ragged(), _Ragged()
        self._texts: list[tuple[str, str]] = []
        self._rows = array("q")
        for example in examples:
            self._source.append(example.source_ids)
            self._target.append(example.target_ids)
            self._texts.append((example.source_text, example.target_text))
            self._rows.append(example.row)

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, index: int) -> Example:  # type: ignore[override]  # no slices
        return Example(self._source[index], self._target[index], *self._texts[index], self._rows[index])

    def lengths(self, index: int) -> tuple[int, int]:
        """Source and target positions of an example in a batch, EOS counted."""
        return self._source.length(index), self._target.length(index) + 1


class _Ragged:
    """Lists of integers, end to end."""

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
