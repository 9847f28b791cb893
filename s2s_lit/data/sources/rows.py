"""What every source yields: numbered rows, and marks where there should have been one."""

from __future__ import annotations

import lzma
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from s2s_lit.errors import UserError

Row = Mapping[str, Any]

SHARD_BITS = 32  # of a row's number that count within its shard
LONGEST = 1 << 20  # characters of a text, bytes of a line: more is no sentence, but a file that lacks its line breaks
_LOOKED_AT = 100  # rows in which a column must occur


@dataclass(frozen=True)
class Malformed:
    """Stands for a row that cannot be used, so that it is counted; `reason` is what it is counted under."""

    reason: str


MISSING_FIELD = Malformed("missing_field")
NOT_TEXT = Malformed("not_text")
INVALID_UTF8 = Malformed("invalid_utf8")
NUL = Malformed("nul")
TOO_LONG = Malformed("too_long")
INVALID_JSON = Malformed("invalid_json")
INVALID_CSV = Malformed("invalid_csv")
TOO_FEW_FIELDS = Malformed("too_few_fields")
TOO_MANY_FIELDS = Malformed("too_many_fields")

MEANINGS = {
    "missing_field": "one of its columns is missing or null",
    "not_text": "one of its columns holds no text, but a number or a list",
    "invalid_utf8": "it is not valid UTF-8",
    "nul": "it holds a NUL character",
    "too_long": f"it has a text of more than {LONGEST:,} characters",
    "invalid_json": "its line is no JSON object",
    "invalid_csv": "its quotes are wrong",
    "too_few_fields": "it has fewer fields than the first line",
    "too_many_fields": "it has more fields than the first line (a tab or comma inside of a text?)",
}
"""What is wrong with a row that is counted under a reason."""

BROKEN = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, OverflowError, NotImplementedError)
"""What readers raise: pyarrow OSErrors and ValueErrors, the last two for values that Python does not have."""

Columns = Sequence[str] | None
"""The columns that are asked for; None: all."""


class Rows(ABC):
    """The rows of one split in the order of its files, as often as needed.

    Attributes:
        num_shards: parts that can be read apart from one another.
    """

    num_shards: int = 1

    @abstractmethod
    def numbered(self, shards: Iterable[int]) -> Iterator[tuple[int, Row | Malformed]]:
        """The rows of `shards`, each with a number of its own; the numbers ascend in the order of the files.

        Raises:
            UserError: a file cannot be read to its end; what it lacks cannot be counted.
        """

    @abstractmethod
    def place(self, number: int) -> str:
        """Where the row of that number stands, for the user: file and row, counted from 1."""

    def all(self) -> Iterator[tuple[int, Row | Malformed]]:
        """The rows of all shards."""
        return self.numbered(range(self.num_shards))

    def __iter__(self) -> Iterator[Row]:
        """The rows that are not malformed."""
        return (row for _, row in self.all() if not isinstance(row, Malformed))

    def require(self, *columns: str, optional: Sequence[str] = ()) -> None:
        """Says which columns are asked for; other columns need not be read from now on.

        Args:
            columns: What the rows must have.
            optional: What they may have.

        Raises:
            UserError: none of the first rows has one of `columns`.
        """
        first = list(islice(self, _LOOKED_AT))
        for column in columns:
            if first and all(value_at(row, column) is None for row in first):
                raise UserError(
                    f"The data has no column {column!r}; it has {listed(self._columns_there())}. Set data.columns."
                )

    def _columns_there(self) -> Iterable[str]:
        return columns_of(next(iter(self), {}))


class ShardedRows(Rows):
    """Rows that are read again on each pass, such as those of files, each of which is a shard.

    Args:
        shards: For each its name, and what reads it from its start, given the columns that are asked for.
    """

    def __init__(self, shards: Sequence[tuple[str, Callable[[Columns], Iterable[Row | Malformed]]]]) -> None:
        self._shards = shards
        self._columns: Columns = None
        self.num_shards = len(shards)

    def numbered(self, shards: Iterable[int]) -> Iterator[tuple[int, Row | Malformed]]:
        for shard in shards:
            yield from self._shard(shard)

    def _shard(self, shard: int) -> Iterator[tuple[int, Row | Malformed]]:
        name, read = self._shards[shard]
        number = shard << SHARD_BITS
        malformed: Counter[str] = Counter()
        try:
            for row in read(self._columns):
                if isinstance(row, Malformed):
                    malformed[row.reason] += 1
                yield number, row
                number += 1
        except BROKEN as error:
            raise UserError(f"{self.place(number)} and what follows it cannot be read: {reason_of(error)}") from error
        count = number - (shard << SHARD_BITS)
        if malformed and malformed.total() == count:
            reasons = "; ".join(f"{times} times: {MEANINGS[reason]}" for reason, times in malformed.most_common())
            raise UserError(f"{name} has no row that can be used, of {count}: {reasons}")

    def place(self, number: int) -> str:
        shard, row = shard_and_row(number)
        return f"{self._shards[shard][0]}, row {row}"

    def require(self, *columns: str, optional: Sequence[str] = ()) -> None:
        self._columns = tuple(map(str, [*columns, *optional]))
        super().require(*map(str, columns))

    def _columns_there(self) -> Iterable[str]:
        self._columns = None
        return super()._columns_there()


def shard_and_row(number: int) -> tuple[int, int]:
    """A row's shard, and its place there counted from 1."""
    return number >> SHARD_BITS, (number & (1 << SHARD_BITS) - 1) + 1


def value_at(row: Row, path: str) -> Any:
    """The value at a dotted path, None if there is none; a column that has the dots in its own name comes first."""
    if path in row or "." not in path:
        return row.get(path)
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def columns_of(row: Row) -> Iterator[str]:
    """The paths of a row's columns, nested ones too."""
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from (f"{name}.{path}" for path in columns_of(value))
        else:
            yield name


def listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names)) or "none"


def reason_of(error: Exception) -> str:
    """The kind and the first line of an error."""
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"
