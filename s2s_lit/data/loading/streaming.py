"""Batches of a corpus that is read again each epoch."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice

from s2s_lit.data.batching.batchers import Batcher, Window
from s2s_lit.data.batching.collate import collate_window
from s2s_lit.data.cleaning.report import SplitReport
from s2s_lit.data.loading.dealing import Share
from s2s_lit.data.loading.encoding import RowEncoder
from s2s_lit.data.loading.loader import BatchLoader
from s2s_lit.data.loading.workers import Chunk
from s2s_lit.data.sources.rows import Malformed, Row, Rows
from s2s_lit.types import Example


class StreamLoader(BatchLoader):
    """Batches of rows that are read again each epoch: shards in random order, and rows shuffled among `pool` of them.

    Each `pool` of rows is a chunk that is encoded, shuffled and grouped for itself, so that a batcher's last batch in
    it may be smaller. A loaded state is reached by reading what came before its chunk; only what it needs is encoded.

    Of several processes, each reads shards of its own to train on, or its rows of shards that do not go round. In
    evaluation all read all, and take turns at the batches.

    Args:
        rows: The rows of the split.
        encoder: Turns them into examples.
        batcher: Groups the examples.
        shuffle: Whether epochs differ, as for training.
        seed: The order is a function of it and of the epoch.
        share: Which process this is.
        num_workers: Processes that encode ahead. Each of them reads all rows of this process.
        pool: Rows that are shuffled together.
    """

    def __init__(
        self,
        rows: Rows,
        encoder: RowEncoder,
        batcher: Batcher,
        *,
        shuffle: bool,
        seed: int,
        share: Share | None = None,
        num_workers: int = 0,
        pool: int = 1,
    ) -> None:
        super().__init__(encoder.fields, batcher, shuffle=shuffle, seed=seed, share=share, num_workers=num_workers)
        self.rows = rows
        self.encoder = encoder
        self.pool = pool

    def chunks(self, epoch: int, start: int, step: int) -> Iterator[Chunk]:
        encoder, rows = self.encoder.begin(), self._read(epoch)
        for number in count():
            pool = list(islice(rows, self.pool))
            if not pool:
                return
            if number >= start and (number - start) % step == 0:
                yield self._chunk(epoch, number, encoder, pool)
            elif encoder.cleaner.remembers:
                deque(encoder.cleaner(pool, SplitReport()), maxlen=0)

    def _read(self, epoch: int) -> Iterator[tuple[int, Row | Malformed]]:
        shards = list(range(self.rows.num_shards))
        if not self.shuffle:
            return self.rows.numbered(shards)
        self._rng(epoch, "shards").shuffle(shards)
        return self.share.of_rows(self.rows, shards)

    def _chunk(self, epoch: int, number: int, encoder: RowEncoder, pool: list[tuple[int, Row | Malformed]]) -> Chunk:
        report = SplitReport()
        examples = list(encoder(pool, report))
        if self.shuffle:
            self._rng(epoch, f"pool {number}").shuffle(examples)
        drawn = (self._drawn(example, epoch) for example in examples)
        batches: Sequence[list[Window[Example]]] = self._by_work(
            self._grouped(drawn, self._rng(epoch, f"batches {number}"))
        )
        if not self.shuffle:
            batches = self.share.of(batches)
            report = report if self.share.rank == 0 else SplitReport()  # all have counted the same
        windows = list(chain.from_iterable(self._in_step(batches, epoch, number)))
        return Chunk(len(windows), (collate_window(window, self.fields) for window in windows), report)
