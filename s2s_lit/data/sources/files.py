"""Corpora of files that the configuration names: local ones and URLs, packed or not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.opening import opened
from s2s_lit.data.sources.places import bare, found, shown
from s2s_lit.data.sources.readers.formats import Reader, reader_of
from s2s_lit.data.sources.readers.lines import lines_of
from s2s_lit.data.sources.rows import Columns, Malformed, Row, Rows, ShardedRows, listed
from s2s_lit.errors import UserError


class _NamedFiles(CorpusSource):
    """Splits that a mapping names."""

    files: dict[str, Any]

    def identity(self) -> dict[str, Any]:
        named = {f"files.{split}": shown(str(files)) for split, files in self.files.items()}
        return {"source": type(self).__name__, **named, "data_dir": shown(self.data_dir or "")}

    def splits(self, *, streaming: bool) -> Sequence[str]:
        return list(self.files)

    @abstractmethod
    def split(self, name: str, *, streaming: bool) -> Rows: ...


class FileCorpus(_NamedFiles):
    """Files of one row a record: parquet, JSON, CSV, tab-separated text, TMX; packed (.gz, .bz2, .xz) or not.

    A name is a file, a pattern (`corpus/train-*.jsonl.gz`), a folder (all of its files that have such an ending, by
    name; hidden ones, backups and READMEs are no data) or an http(s) URL, which is read again on each pass; a
    connection that drops is taken up where it broke. The ending tells the format: .parquet; .jsonl or .ndjson (an
    object a line); .json (the same, or an array of objects); .csv; .tsv or .txt (no quotes); .tmx (columns are
    languages). Text is UTF-8, or has a byte order mark. The first line of a table names its columns; where it has no
    such line, columns go by their numbers (columns: {source: 0, target: 1}), or by the names in `columns`.

    Args:
        files: For each split one name or several.
        columns: Names of the columns of CSV and tab-separated files that have no header line.
        data_dir: The folder in which relative names are looked for.
    """

    def __init__(
        self,
        *,
        files: dict[str, str | list[str]],
        columns: list[str] | None = None,
        data_dir: Path | None = None,
    ) -> None:
        self.files = files
        self.columns = columns
        self.data_dir = data_dir

    def split(self, name: str, *, streaming: bool) -> Rows:
        return rows_of(found(self.files[name], self.data_dir), columns=self.columns)


class ParallelText(_NamedFiles):
    """Plain text in parallel files, one for each side: line n of the one belongs to line n of the other.

    Names are as in FileCorpus, with any ending; packed files are unpacked.

    Args:
        files: For each split the file or files of each column, as in {train: {en: train.en.gz, de: train.de.gz}}.
        data_dir: The folder in which relative names are looked for.
    """

    def __init__(self, *, files: dict[str, dict[str, str | list[str]]], data_dir: Path | None = None) -> None:
        self.files = files
        self.data_dir = data_dir

    def split(self, name: str, *, streaming: bool) -> Rows:
        columns = {column: found(names, self.data_dir) for column, names in self.files[name].items()}
        if len({len(places) for places in columns.values()}) != 1:
            counts = ", ".join(f"{column} {len(places)}" for column, places in columns.items())
            raise UserError(f"split {name!r} has not as many files for each column: {counts} (data.corpus.files)")
        groups = [dict(zip(columns, group, strict=True)) for group in zip(*columns.values(), strict=True)]
        return ShardedRows([(" and ".join(map(shown, group.values())), partial(_aligned, group)) for group in groups])


def rows_of(places: Sequence[str], *, columns: Sequence[str] | None = None) -> ShardedRows:
    """The rows of files and URLs, each of which is a shard.

    Args:
        places: Paths, URLs and addresses on the Hub (hf://).
        columns: Names of the columns of a table that has no header line.
    """
    readers = [reader_of(bare(place), columns) for place in places]
    shards = zip(places, readers, strict=True)
    return ShardedRows([(shown(place), partial(_records, place, reader)) for place, reader in shards])


def _records(place: str, reader: Reader, columns: Columns) -> Iterator[Row | Malformed]:
    with opened(place) as file:
        yield from reader(file, columns)


def _aligned(places: dict[str, str], columns: Columns) -> Iterator[Row | Malformed]:
    """Raises a UserError if the files end apart: which line lacks its partner is unknown, so all may be misaligned."""
    with ExitStack() as stack:
        sides = [lines_of(stack.enter_context(opened(place))) for place in places.values()]
        for number, lines in enumerate(zip_longest(*sides), 1):
            if None in lines:
                ended = [shown(place) for place, line in zip(places.values(), lines, strict=True) if line is None]
                others = sorted(set(map(shown, places.values())) - set(ended))
                raise UserError(
                    f"{listed(ended)} ends before line {number}, where {listed(others)} goes on: these files are not "
                    "parallel (data.corpus.files)"
                )
            broken = next((line for line in lines if isinstance(line, Malformed)), None)
            yield dict(zip(places, lines, strict=True)) if broken is None else broken
