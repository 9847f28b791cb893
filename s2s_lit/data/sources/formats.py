"""Files to rows, one reader a format.

Each reads bytes and yields a row, or what is malformed, for each record of the file in its order. A line longer than
`LONGEST` bytes is never held in memory. Blank lines of JSON lines and CSV are no records.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from s2s_lit.data.sources.rows import (
    FIELD_COUNT,
    INVALID_CSV,
    INVALID_JSON,
    INVALID_UTF8,
    LONGEST,
    NUL,
    TOO_LONG,
    Malformed,
    Row,
)
from s2s_lit.errors import UserError

if TYPE_CHECKING:
    from pyarrow import DataType, RecordBatch, Table

Reader = Callable[[BinaryIO], Iterator[Row | Malformed]]

_BATCH = 1000  # rows of a parquet file turned into Python objects at once


def lines_of(file: BinaryIO) -> Iterator[str | Malformed]:
    """The lines of UTF-8 text without their ends; only a line feed ends one. A byte order mark is left out."""
    first = True
    while line := file.readline(LONGEST + 1):
        if not line.endswith(b"\n") and len(line) > LONGEST:
            while (rest := file.readline(LONGEST)) and not rest.endswith(b"\n"):
                pass
            yield TOO_LONG
        elif b"\0" in line:
            yield NUL
        else:
            try:
                yield line.removeprefix(b"\xef\xbb\xbf" if first else b"").decode().rstrip("\r\n")
            except UnicodeDecodeError:
                yield INVALID_UTF8
        first = False


def json_lines(file: BinaryIO) -> Iterator[Row | Malformed]:
    """One JSON object a line."""
    for line in lines_of(file):
        if isinstance(line, Malformed):
            yield line
        elif line and not line.isspace():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                yield INVALID_JSON
                continue
            yield value if isinstance(value, dict) else INVALID_JSON


def tab_separated(file: BinaryIO, columns: Sequence[str] | None = None) -> Iterator[Row | Malformed]:
    """Fields between tabs, without quotes; the first line names them unless `columns` does."""
    for line in lines_of(file):
        fields = line if isinstance(line, Malformed) else line.split("\t")
        if columns is None:
            columns = _header(fields)
        elif isinstance(fields, Malformed):
            yield fields
        else:
            yield dict(zip(columns, fields, strict=True)) if len(fields) == len(columns) else FIELD_COUNT


def comma_separated(file: BinaryIO, columns: Sequence[str] | None = None) -> Iterator[Row | Malformed]:
    """CSV (RFC 4180); the first record names the fields unless `columns` does.

    A quote that is never closed would swallow the lines after it: where a record of several lines does not fit, its
    first line is malformed and the next ones are read again.
    """
    for fields in _records(file, None if columns is None else len(columns)):
        if columns is None:
            columns = _header(fields)
        elif isinstance(fields, Malformed):
            yield fields
        else:
            yield dict(zip(columns, fields, strict=True))


def _header(fields: list[str] | Malformed) -> list[str]:
    """Raises a ValueError if a file begins with what cannot name its columns."""
    if isinstance(fields, Malformed) or len(set(fields)) < len(fields):
        raise ValueError("its first line does not name the columns")
    return fields


def _records(file: BinaryIO, width: int | None) -> Iterator[list[str] | Malformed]:
    """Records of `width` fields; None: as many as the first has."""
    lines, again, taken = lines_of(file), deque[str | Malformed](), list[str]()
    broken: list[Malformed] = []

    def feed() -> Iterator[str]:
        while (line := again.popleft() if again else next(lines, None)) is not None:
            if isinstance(line, Malformed):
                broken.append(line)
                return
            taken.append(line)
            yield f"{line}\n"

    while True:
        taken.clear()
        wrong: Malformed | None = None
        fields: list[str] = []
        try:
            fields = next(csv.reader(feed(), strict=True), [])
        except csv.Error:  # also an end within quotes, and a field above the module's limit of 128 KB
            wrong = INVALID_CSV
        if not wrong and width is not None and fields and len(fields) != width:
            wrong = FIELD_COUNT
        if wrong and taken:
            again.extendleft(reversed([*taken[1:], *broken]))
            broken.clear()
            yield wrong
            continue
        if fields:
            width = width or len(fields)
            yield fields
        elif not taken and not broken:
            return
        yield from broken
        broken.clear()


def parquet(file: BinaryIO) -> Iterator[Row | Malformed]:
    """The rows of a parquet file; it must be one that can be sought."""
    import pyarrow.parquet

    for batch in pyarrow.parquet.ParquetFile(file).iter_batches(batch_size=_BATCH):
        yield from rows_of(batch)


def rows_of(batch: RecordBatch | Table) -> Iterator[Row | Malformed]:
    """The rows of an Arrow table, whose text nobody has looked at yet."""
    mixed = [field for field in batch.schema if "arrow.json" in str(field.type)]
    for row in _python_rows(batch):
        if mixed and not isinstance(row, Malformed):
            row = {**row, **{field.name: _decoded(row[field.name], field.type) for field in mixed}}
        yield row


def _python_rows(batch: RecordBatch | Table) -> Iterator[Row | Malformed]:
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        for index in range(batch.num_rows):
            try:
                yield batch.slice(index, 1).to_pylist()[0]
            except UnicodeDecodeError:
                yield INVALID_UTF8


def _decoded(value: Any, kind: DataType) -> Any:
    """The value in a column whose values are of several types; `datasets` keeps each of them as JSON."""
    if getattr(kind, "extension_name", None) == "arrow.json":
        return None if value is None else json.loads(value)
    return {field.name: _decoded(value[field.name], field.type) for field in kind} if isinstance(value, dict) else value


def reader_of(name: str, columns: Sequence[str] | None) -> Reader:
    """The reader for a file of that name, without `.gz`; `columns` are the names that a table's header lacks.

    Raises:
        UserError: its ending tells no format.
    """
    ending = name.rpartition(".")[2].lower()
    if ending not in ENDINGS:
        raise UserError(f"{name}: its ending tells no format; there are {', '.join(sorted(ENDINGS))}, and .gz of each")
    return partial(TABLES[ending], columns=columns) if ending in TABLES else RECORDS[ending]


TABLES = {"csv": comma_separated, "tsv": tab_separated, "txt": tab_separated}
RECORDS = {"jsonl": json_lines, "ndjson": json_lines, "json": json_lines, "parquet": parquet}
ENDINGS = {*TABLES, *RECORDS}
"""Endings of the files that can be read."""
