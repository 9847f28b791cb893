"""Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from s2s_lit.data.sources.rows import INVALID_UTF8, Columns, Malformed, Row

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Schema, Table

_BATCH = 1000  # rows turned into Python objects at once


def parquet(file: BinaryIO, asked: Columns = None) -> Iterator[Row | Malformed]:
    """The rows of a parquet file, which must be one that can be sought; columns that nobody asks for are not read."""
    import pyarrow.parquet

    table = pyarrow.parquet.ParquetFile(file)
    columns = None if asked is None else _columns(table.schema_arrow, asked)
    for batch in table.iter_batches(batch_size=_BATCH, columns=columns):
        yield from rows_of_batch(batch)


def _columns(schema: Schema, asked: Sequence[str]) -> list[str]:
    """The columns that hold what is asked for, as far as the file has them."""
    found = {path if path in schema.names else path.partition(".")[0] for path in asked}
    return [name for name in schema.names if name in found]


def rows_of_batch(batch: RecordBatch | Table) -> Iterator[Row | Malformed]:
    """The rows of a batch or a table, whose text nobody has looked at yet."""
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        for index in range(batch.num_rows):
            try:
                yield batch.slice(index, 1).to_pylist()[0]
            except UnicodeDecodeError:
                yield INVALID_UTF8
