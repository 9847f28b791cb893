"""Rows to clean text: columns, normalization, filters, and the count of what happened to each row."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from s2s_lit.data.cleaning.filters import Filter, Passing
from s2s_lit.data.sources.rows import (
    INVALID_UTF8,
    LONGEST,
    MISSING_FIELD,
    NOT_TEXT,
    NUL,
    TOO_LONG,
    Malformed,
    Row,
    value_at,
)
from s2s_lit.errors import UserError
from s2s_lit.text.normalize import Form, normalize
from s2s_lit.types import UNK

_COUNTERS = ("dropped", "malformed", "tokens", "unknown")


@dataclass
class SplitReport:
    """What was read of a split, what was kept, and why the rest was not."""

    rows: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """Pairs that training does without, by the reason that a filter or a limit gave."""
    malformed: Counter[str] = field(default_factory=Counter)
    """Rows that are no pairs, by what is wrong with them."""
    tokens: Counter[str] = field(default_factory=Counter)
    """Of all pairs that the filters kept, by side."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Those of them that are UNK."""
    _digests: int = 0

    def read(self, source: str, target: str) -> None:
        """Adds a pair's text to the fingerprint: a sum, so that the order of reading does not matter."""
        digest = hashlib.sha256(f"{source}\n{target}".encode(errors="surrogatepass")).digest()
        self._digests += int.from_bytes(digest)

    def encoded(self, side: str, ids: list[int]) -> None:
        """Counts the tokens of a text."""
        self.tokens[side] += len(ids)
        self.unknown[side] += ids.count(UNK)

    def add(self, other: SplitReport) -> None:
        """Counts what another part of the split's rows gave, too."""
        self.rows += other.rows
        self.kept += other.kept
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        self._digests += other._digests

    def require_pairs(self) -> None:
        """Raises a UserError if no pair of a training split is left."""
        if not self.kept:
            lost = self.dropped + self.malformed
            dropped = ", ".join(f"{count} {reason}" for reason, count in lost.items()) or "none dropped"
            raise UserError(
                f"no pair to train on is left of the {self.rows} rows of the training split ({dropped}): look at "
                "data.source_column, data.target_column and data.filters, raise data.max_source_length and "
                "data.max_target_length"
            )

    @property
    def fingerprint(self) -> str:
        """Of all texts that were read, whatever their order."""
        return f"{self._digests % 2**256:064x}"

    def share_unknown(self, side: str) -> float:
        """The share of the side's tokens that the vocabulary lacks."""
        return self.unknown[side] / max(self.tokens[side], 1)

    def state(self) -> dict[str, Any]:
        """All of it as plain values, for a checkpoint."""
        counters = {name: dict(getattr(self, name)) for name in _COUNTERS}
        return {"rows": self.rows, "kept": self.kept, "digests": f"{self._digests:x}", **counters}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> SplitReport:
        counters = {name: Counter(state[name]) for name in _COUNTERS}
        return cls(rows=state["rows"], kept=state["kept"], _digests=int(state["digests"], 16), **counters)

    def as_dict(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "kept": self.kept,
            "dropped": dict(self.dropped),
            "malformed": dict(self.malformed),
            "unknown": {side: self.share_unknown(side) for side in self.tokens},
            "fingerprint": self.fingerprint,
        }


@dataclass(frozen=True)
class PairReader:
    """Reads the two text columns of rows.

    Args:
        source_column: A column's name, or the dotted path of a nested one.
        target_column: Likewise.
        form: Unicode normalization of the texts.
    """

    source_column: str
    target_column: str
    form: Form = "NFC"

    def pair(self, row: Row | Malformed) -> tuple[str, str] | Malformed:
        """The normalized texts of a row, or what is wrong with it."""
        if isinstance(row, Malformed):
            return row
        source, target = value_at(row, self.source_column), value_at(row, self.target_column)
        if (wrong := _wrong(source) or _wrong(target)) is not None:
            return wrong
        return normalize(source, self.form), normalize(target, self.form)

    def pairs(self, rows: Iterable[Row | Malformed]) -> Iterator[tuple[str, str]]:
        """The normalized texts of all rows that are not malformed."""
        return (pair for row in rows if not isinstance(pair := self.pair(row), Malformed))


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


@dataclass(frozen=True)
class Cleaner:
    """Turns numbered rows into pairs of clean text.

    Args:
        reader: Finds the texts.
        filters: Which pairs are left out; none for an evaluation split.
        place: Tells where a row stands. Given, a malformed row is an error; otherwise it is counted and left out.
    """

    reader: PairReader
    filters: Sequence[Filter] = ()
    place: Callable[[int], str] | None = None
    passing: Passing | None = None
    """The pass over the split that all calls belong to; without, each call is a pass."""

    def begin(self) -> Cleaner:
        """For a pass over the rows that is made in several calls."""
        return replace(self, passing=Passing(self.filters))

    @property
    def remembers(self) -> bool:
        """Whether what it keeps of a row depends on the rows before it."""
        return any(each.remembers for each in self.filters)

    def __call__(
        self, rows: Iterable[tuple[int, Row | Malformed]], report: SplitReport
    ) -> Iterator[tuple[int, str, str]]:
        """Number, source and target of the rows that stay, in their order; `report` counts every row as it passes.

        Raises:
            UserError: a row is malformed, and that is an error.
        """
        filters = self.passing or Passing(self.filters)
        for number, row in rows:
            report.rows += 1
            pair = self.reader.pair(row)
            if isinstance(pair, Malformed):
                if self.place is not None:
                    raise UserError(f"{self.place(number)} is malformed: {pair.reason} (data.strict)")
                report.malformed[pair.reason] += 1
                continue
            report.read(*pair)
            if self.filters and (reason := filters.reason(*pair)) is not None:
                report.dropped[reason] += 1
                continue
            yield number, *pair
