"""Which data sets `datasets` itself reads, and their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

from s2s_lit.data.sources.hub_file import SCHEME
from s2s_lit.data.sources.places import bare
from s2s_lit.data.sources.readers.formats import READERS, ending_of
from s2s_lit.data.sources.readers.parquet import rows_of_batch
from s2s_lit.data.sources.rows import BROKEN, Columns, Malformed, Row, ShardedRows, reason_of
from s2s_lit.errors import UserError

if TYPE_CHECKING:  # importing it takes a second, which is spent when data is read
    from datasets import BuilderConfig, Dataset, DatasetBuilder, IterableDataset

_READ = 1000  # rows taken from `datasets` at once: ten times faster than one by one
_NO_SETTINGS = ("name", "version", "data_dir", "data_files", "description", "features")


def has_reader(config: BuilderConfig) -> bool:
    """Whether the files of a configuration are all read as FileCorpus reads them: by the endings of their names.

    They are not where its README has settings of its own, such as a separator.
    """
    files = [file for split in (config.data_files or {}).values() for file in split]
    endings = {ending_of(bare(file)) for file in files if file.startswith(SCHEME)}
    if not files or not endings <= set(READERS) or not all(file.startswith(SCHEME) for file in files):
        return False
    usual = type(config)(**({"sep": "\t"} if endings == {"tsv"} else {}))
    own = (each.name for each in fields(config) if each.name not in _NO_SETTINGS)
    return all(getattr(config, name) == getattr(usual, name) for name in own)


def dataset_rows(builder: DatasetBuilder, split: str, streaming: bool) -> ShardedRows:
    """The rows of a split as `datasets` reads them: all of it in memory is one shard."""
    place = f"{builder.repo_id}, split {split}"
    try:
        if streaming:
            data: Any = builder.as_streaming_dataset(split)
        else:
            builder.download_and_prepare()
            data = builder.as_dataset(split)
    except Exception as error:  # a damaged file, a lost connection: `datasets` has many ways to say so
        raise UserError(f"{place} cannot be read: {_reason(error)}") from error
    count = data.num_shards if streaming else 1
    names = [f"{place}, shard {number + 1}" if count > 1 else place for number in range(count)]
    return ShardedRows([(name, partial(_rows, data, count, number)) for number, name in enumerate(names)])


def _rows(data: Dataset | IterableDataset, count: int, number: int, columns: Columns) -> Iterator[Row | Malformed]:
    """Raises an OSError where `datasets` cannot go on."""
    shard = data if count == 1 else data.shard(count, number)
    try:
        for table in shard.with_format("arrow").iter(batch_size=_READ):
            yield from rows_of_batch(table)
    except BROKEN:
        raise
    except Exception as error:
        raise OSError(_reason(error)) from error


def _reason(error: Exception) -> str:
    return reason_of(error.__cause__ if isinstance(error.__cause__, Exception) else error)
