"""Corpora of files that the configuration names: local ones and URLs, compressed or not."""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.formats import ENDINGS, Reader, lines_of, reader_of
from s2s_lit.data.sources.remote import RemoteFile
from s2s_lit.data.sources.rows import Malformed, Row, Rows, ShardedRows, listed
from s2s_lit.errors import UserError

_BUFFER = 1 << 20


class _NamedFiles(CorpusSource):
    """Splits that a mapping names."""

    files: dict[str, Any]
    data_dir: Path | None

    def identity(self) -> dict[str, Any]:
        named = {f"files.{split}": str(files) for split, files in self.files.items()}
        return {"source": type(self).__name__, **named, "data_dir": str(self.data_dir or "")}

    def splits(self, *, streaming: bool) -> Sequence[str]:
        return list(self.files)

    @abstractmethod
    def split(self, name: str, *, streaming: bool) -> Rows: ...


class FileCorpus(_NamedFiles):
    """Files of one row a record: parquet, JSON lines, CSV, tab-separated text, each also as .gz.

    A name is a file, a pattern (`corpus/train-*.jsonl.gz`), a folder (all of its files that have such an ending, by
    name) or an http(s) URL, which is read again on each pass; a connection that drops is taken up where it broke. The
    ending tells the format: .parquet, .jsonl (.ndjson, .json), .csv, .tsv (.txt; no quotes). Text is UTF-8.

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
        places = found(self.files[name], self.data_dir)
        return ShardedRows(
            [(place, partial(_records, place, reader_of(_bare(place), self.columns))) for place in places]
        )


class ParallelText(_NamedFiles):
    """Plain text in parallel files, one for each side: line n of the one belongs to line n of the other.

    Names are as in FileCorpus, with any ending; .gz is decompressed.

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
            raise UserError(f"split {name!r} has not as many files for each column: {counts} (data.source.files)")
        groups = [dict(zip(columns, group, strict=True)) for group in zip(*columns.values(), strict=True)]
        return ShardedRows([(" and ".join(group.values()), partial(_aligned, group)) for group in groups])


def _records(place: str, reader: Reader) -> Iterator[Row | Malformed]:
    with opened(place) as file:
        yield from reader(file)


def _aligned(places: dict[str, str]) -> Iterator[Row | Malformed]:
    """Raises a UserError if the files end apart: which line lacks its partner is unknown, so all may be misaligned."""
    with ExitStack() as stack:
        sides = [lines_of(stack.enter_context(opened(place))) for place in places.values()]
        for number, lines in enumerate(zip_longest(*sides), 1):
            if None in lines:
                ended = [place for place, line in zip(places.values(), lines, strict=True) if line is None]
                raise UserError(
                    f"{listed(ended)} ends before line {number}, where {listed(set(places.values()) - set(ended))} "
                    "goes on: these files are not parallel (data.source.files)"
                )
            broken = next((line for line in lines if isinstance(line, Malformed)), None)
            yield dict(zip(places, lines, strict=True)) if broken is None else broken


@contextmanager
def opened(place: str) -> Iterator[BinaryIO]:
    """The bytes of a local file or a URL, decompressed; a parquet file can be sought."""
    with ExitStack() as stack:
        raw = RemoteFile(place) if _is_url(place) else io.FileIO(place)
        file: Any = stack.enter_context(io.BufferedReader(raw, _BUFFER))
        packed = _path(place).endswith(".gz")
        if packed:
            file = io.BufferedReader(stack.enter_context(gzip.GzipFile(fileobj=file)), _BUFFER)
        if _bare(place).endswith(".parquet") and (packed or not raw.seekable()):  # going back in a .gz starts it anew
            whole = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(file, whole)
            whole.seek(0)
            file = whole
        yield cast(BinaryIO, file)


def found(names: str | Sequence[str], folder: Path | None) -> list[str]:
    """The files and URLs that names stand for, in the names' order.

    Raises:
        UserError: a name stands for no file.
    """
    places: list[str] = []
    for name in [names] if isinstance(names, str) else names:
        if _is_url(name):
            places.append(name)
            continue
        path = Path(folder or "").expanduser() / Path(name).expanduser()
        if path.is_dir():
            files = [file for file in path.iterdir() if _bare(file.name).rpartition(".")[2].lower() in ENDINGS]
        elif path.is_file():
            files = [path]
        else:
            files = [file for file in Path(path.anchor).glob(str(path.relative_to(path.anchor))) if file.is_file()]
        if not files:
            raise UserError(f"There is no file {str(path)!r} (data.source.files, DATA_DIR).")
        places += map(str, sorted(files))
    if not places:
        raise UserError("a split names no file (data.source.files)")
    return places


def _is_url(name: str) -> bool:
    return name.startswith(("http://", "https://"))


def _bare(place: str) -> str:
    """The file's name without the .gz."""
    return Path(_path(place)).name.removesuffix(".gz")


def _path(place: str) -> str:
    return urlsplit(place).path if _is_url(place) else place
