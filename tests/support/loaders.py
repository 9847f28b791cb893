"""Loaders of invented sentences of many lengths, in memory and streaming."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from s2s_lit.data.batching.batchers import Batcher, FixedSize, LengthBuckets, TokenBudget
from s2s_lit.data.batching.windows import TimeStepWindows
from s2s_lit.data.cleaning.cleaner import Cleaner
from s2s_lit.data.cleaning.reader import RowReader
from s2s_lit.data.cleaning.report import SplitReport
from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.fields.text import TextField
from s2s_lit.data.loading.corpus import EncodedCorpus
from s2s_lit.data.loading.dealing import Share
from s2s_lit.data.loading.encoding import RowEncoder
from s2s_lit.data.loading.in_memory import MemoryLoader
from s2s_lit.data.loading.loader import BatchLoader
from s2s_lit.data.loading.streaming import StreamLoader
from s2s_lit.data.sources.rows import Row, Rows, ShardedRows
from s2s_lit.text.words import Words
from s2s_lit.types import Batch

COLUMNS = {"source": "en", "target": "de"}
BATCHERS = [
    FixedSize(size=4),
    LengthBuckets(size=4, pool=12),
    TokenBudget(max_tokens=40, pool=15),
    TimeStepWindows(batcher=LengthBuckets(size=4, pool=12), size=3),
]
KINDS = ["memory", "stream"]


def given_rows(count: int, shards: int) -> Rows:
    """Sentences of many lengths, one in seven too long for the filter of `make`."""

    return ShardedRows([(f"shard {part}", partial(_texts, range(part, count, shards))) for part in range(shards)])


def _texts(numbers: Iterable[int], columns: object) -> Iterator[Row]:
    return ({"en": f"n{i}" + " b" * (i % 7), "de": f"n{i}" + " y" * (i * 5 % 11)} for i in numbers)


def fields_for(rows: Rows, *, source: int = 6, target: int = 99) -> Fields:
    """Words of both columns, at most so many of a training example."""
    fields = Fields(
        {
            "source": TextField(tokenizer=Words(), max_length=source),
            "target": TextField(tokenizer=Words(), max_length=target),
        }
    )
    fields.build({"source": row["en"], "target": row["de"]} for row in rows)
    return fields


def make(
    kind: str,
    batcher: Batcher,
    *,
    seed: int = 0,
    shuffle: bool = True,
    count: int = 61,
    shards: int = 3,
    pool: int = 9,
    share: Share | None = None,
    workers: int = 0,
) -> BatchLoader:
    rows = given_rows(count, shards)
    fields = fields_for(rows)
    encoder = RowEncoder(Cleaner(RowReader(fields, COLUMNS)), fields, limited=True)
    if kind == "stream":
        return StreamLoader(
            rows, encoder, batcher, shuffle=shuffle, seed=seed, pool=pool, share=share, num_workers=workers
        )
    report = SplitReport()
    corpus = EncodedCorpus(encoder(rows.numbered(range(shards)), report), fields, report)
    return MemoryLoader(corpus, batcher, shuffle=shuffle, seed=seed, share=share, num_workers=workers)


def order(batches: object) -> list[tuple[int, ...]]:
    return [batch.rows for batch in batches]  # type: ignore[attr-defined]


def tokens(batches: Iterable[Batch]) -> int:
    """Target tokens that are trained on."""
    return sum(int(batch.target.lengths.sum()) for batch in batches)


def kept(count: int) -> list[str]:
    return sorted(f"n{i}" for i in range(count) if i % 7 < 6)
