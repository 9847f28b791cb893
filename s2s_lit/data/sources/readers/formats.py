"""Which reader reads a file, told by the ending of its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO

from s2s_lit.data.sources.readers.json_records import json_file, json_lines
from s2s_lit.data.sources.readers.parquet import parquet
from s2s_lit.data.sources.readers.tables import comma_separated, tab_separated
from s2s_lit.data.sources.readers.tmx import tmx
from s2s_lit.data.sources.rows import Columns, Malformed, Row
from s2s_lit.errors import UserError

Reader = Callable[[BinaryIO, Columns], Iterator[Row | Malformed]]
"""Yields a row, or what is malformed, for each record of a file in its order; it may leave out columns that nobody
asks for. Blank lines of JSON lines and CSV are no records."""

TABLES: dict[str, Any] = {"csv": comma_separated, "tsv": tab_separated, "txt": tab_separated}
READERS: dict[str, Reader] = {
    **TABLES, "jsonl": json_lines, "ndjson": json_lines, "json": json_file, "parquet": parquet, "tmx": tmx
}  # fmt: skip
"""The reader of each format, by the ending of a file's name."""

_SPREADSHEET = "a spreadsheet: save it as CSV (comma-separated, UTF-8), and name that file"
_ARCHIVE = "an archive: unpack it, and name the folder"
_UNSAFE = "a program's own format, which is not safe to read: save it as JSON lines, and name that file"
_DOCUMENT = "a document: save its sentences as plain text, and name that file"
REFUSED = {
    **dict.fromkeys(("xlsx", "xls", "xlsm", "ods", "numbers"), _SPREADSHEET),
    **dict.fromkeys(("zip", "tar", "tgz", "rar", "7z"), _ARCHIVE),
    "zst": "packed with zstd: unpack it (unzstd FILE), or pack it with gzip",
    "arrow": "Arrow's own format: save it as parquet (Dataset.to_parquet), and name that file",
    **dict.fromkeys(("pkl", "pickle", "pt", "npy"), _UNSAFE),
    **dict.fromkeys(("pdf", "doc", "docx", "odt", "html", "htm", "xml"), _DOCUMENT),
}
"""Formats that are not read, and what the user can do."""


def ending_of(name: str) -> str:
    return name.rpartition(".")[2].lower()


def reader_of(name: str, columns: Sequence[str] | None) -> Reader:
    """The reader for a file of that name, without the ending of its packing.

    Args:
        name: The file's name.
        columns: Names of the columns of a table that has no header line.

    Raises:
        UserError: its ending tells no format, or one that is not read.
    """
    ending = ending_of(name)
    if ending in REFUSED:
        raise UserError(f"{name} cannot be read. It is {REFUSED[ending]}")
    if ending not in READERS:
        raise UserError(
            f"{name}: its ending tells no format; there are {', '.join(sorted(READERS))}, and .gz, .bz2 and .xz of each"
        )
    return partial(TABLES[ending], names=columns) if ending in TABLES else READERS[ending]
