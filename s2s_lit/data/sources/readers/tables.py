"""Tables: fields between tabs or commas."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from s2s_lit.data.sources.readers.lines import lines_of
from s2s_lit.data.sources.rows import INVALID_CSV, TOO_FEW_FIELDS, TOO_MANY_FIELDS, Columns, Malformed, Row


def tab_separated(
    file: BinaryIO, asked: Columns = None, *, names: Sequence[str] | None = None
) -> Iterator[Row | Malformed]:
    """Fields between tabs, without quotes.

    The first line names the columns, unless `names` does, or the columns that are asked for are numbers.
    """
    lines = (line if isinstance(line, Malformed) else line.split("\t") for line in lines_of(file))
    return _named(lines, asked, names)


def comma_separated(
    file: BinaryIO, asked: Columns = None, *, names: Sequence[str] | None = None
) -> Iterator[Row | Malformed]:
    """CSV (RFC 4180); its columns are named as in `tab_separated`.

    A quote that is never closed would swallow the lines after it: where a record of several lines does not fit, its
    first line is malformed and the next ones are read again.
    """
    return _named(_records(file, None if names is None else len(names)), asked, names)


def _named(
    records: Iterator[list[str] | Malformed], asked: Columns, names: Sequence[str] | None
) -> Iterator[Row | Malformed]:
    broken: list[Malformed] = []
    if names is None:
        first = next(records, [])
        if asked and all(column.isdecimal() for column in asked):
            while isinstance(first, Malformed):
                broken.append(first)
                first = next(records, [])
            if not set(asked) <= set(first):  # else the first line holds the numbers
                names, records = [str(number) for number in range(len(first))], chain([first], records)
        names = names or _header(first)
    yield from broken
    for fields in records:
        wrong = fields if isinstance(fields, Malformed) else _count_is_wrong(fields, len(names))
        yield wrong or dict(zip(names, fields, strict=True))  # type: ignore[arg-type]


def _header(fields: list[str] | Malformed) -> list[str]:
    """Raises a ValueError if a file begins with what cannot name its columns."""
    if isinstance(fields, Malformed) or len(set(fields)) < len(fields):
        raise ValueError(
            "its first line does not name the columns; if it is a row, name the columns by their numbers, from 0, or "
            "set data.corpus.columns"
        )
    return fields


def _count_is_wrong(fields: Sequence[str], width: int) -> Malformed | None:
    if len(fields) == width:
        return None
    return TOO_FEW_FIELDS if len(fields) < width else TOO_MANY_FIELDS


def _records(file: BinaryIO, width: int | None) -> Iterator[list[str] | Malformed]:
    """Records of `width` fields; None: as many as the first has."""
    lines = _Lines(lines_of(file))
    while True:
        lines.taken.clear()
        wrong: Malformed | None = None
        fields: list[str] = []
        try:
            fields = next(csv.reader(lines, strict=True), [])
        except csv.Error:  # also an end within quotes, and a field above the module's limit of 128 KB
            wrong = INVALID_CSV
        if not wrong and width is not None and fields:
            wrong = _count_is_wrong(fields, width)
        if wrong and lines.taken:
            lines.read_again()
            yield wrong
            continue
        if fields:
            width = width or len(fields)
            yield fields
        elif not lines.taken and not lines.broken:
            return
        yield from lines.broken
        lines.broken.clear()


class _Lines:
    """Lines for the csv module, which may have to be read again."""

    def __init__(self, lines: Iterable[str | Malformed]) -> None:
        self._lines = iter(lines)
        self._again: deque[str | Malformed] = deque()
        self.taken: list[str] = []
        """What the present record took."""
        self.broken: list[Malformed] = []
        """The malformed line that ended it."""

    def __iter__(self) -> Iterator[str]:
        while (line := self._again.popleft() if self._again else next(self._lines, None)) is not None:
            if isinstance(line, Malformed):
                self.broken.append(line)
                return
            self.taken.append(line)
            yield f"{line}\n"

    def read_again(self) -> None:
        """All but the record's first line."""
        self._again.extendleft(reversed([*self.taken[1:], *self.broken]))
        self.broken.clear()
