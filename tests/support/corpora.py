"""One corpus in every format that is read."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.files import FileCorpus, ParallelText

Rows = list[dict[str, str]]

ROWS: Rows = [{"en": f'{i} größer, "{"b " * (i % 3)}', "de": f"{i} x\u2028 y" + "'" * (i % 2)} for i in range(2300)]


def table(rows: Rows, separator: str) -> bytes:
    if separator == "\t":
        return "\n".join("\t".join(row.values()) for row in rows).encode()
    text = io.StringIO()
    csv.writer(text).writerows(row.values() for row in rows)
    return text.getvalue().encode()


def parquet(rows: Rows) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), file, row_group_size=700)
    return file.getvalue()


FORMATS: dict[str, Callable[[Rows], bytes]] = {
    "jsonl": lambda rows: "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode(),
    "csv": lambda rows: b"en,de\r\n" + table(rows, ","),
    "tsv": lambda rows: b"\xef\xbb\xbfen\tde\n" + table(rows, "\t") + b"\n",
    "parquet": parquet,
}


def packed(content: bytes, ending: str) -> bytes:
    return gzip.compress(content) if ending == ".gz" else content


def as_files(folder: Path, kind: str, ending: str, parts: Sequence[Rows]) -> CorpusSource:
    """The parts as files of a split `train`."""
    folder.mkdir(exist_ok=True)
    for number, rows in enumerate(parts):
        if kind == "parallel":
            for column in ("en", "de"):
                text = "".join(f"{row[column]}\n" for row in rows)
                (folder / f"{number}.{column}{ending}").write_bytes(packed(text.encode(), ending))
        else:
            (folder / f"{number}.{kind}{ending}").write_bytes(packed(FORMATS[kind](rows), ending))
    if kind == "parallel":
        files: dict[str, str | list[str]] = {column: f"*.{column}{ending}" for column in ("en", "de")}
        return ParallelText(files={"train": files}, data_dir=folder)
    return FileCorpus(files={"train": str(folder)})
