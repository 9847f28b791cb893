"""Batches of a corpus in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, count, islice, takewhile
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from s2s_lit.data.batching.batchers import Batcher, Window
from s2s_lit.data.batching.collate import collate_window
from s2s_lit.data.cleaning.report import SplitReport
from s2s_lit.data.loading.corpus import EncodedCorpus
from s2s_lit.data.loading.dealing import Share
from s2s_lit.data.loading.loader import BatchLoader
from s2s_lit.data.loading.workers import Chunk
from s2s_lit.errors import UserError
from s2s_lit.types import Batch

_CHUNK = 64  # batches of a chunk, for each process


class MemoryLoader(BatchLoader):
    """Batches of an encoded corpus, fully shuffled, planned a whole epoch at a time from the lengths alone.

    Where examples are cut into tokens anew each epoch, these are the lengths of the deterministic cut. Processes
    take turns at the batches of the one plan.

    Args:
        corpus: The encoded examples.
        batcher: Groups the examples.
        shuffle: Whether epochs differ.
        seed: The order is a function of it and of the epoch.
        share: Which process this is.
        num_workers: Processes that make batches ahead.
    """

    def __init__(
        self,
        corpus: EncodedCorpus,
        batcher: Batcher,
        *,
        shuffle: bool,
        seed: int,
        share: Share | None = None,
        num_workers: int = 0,
    ) -> None:
        super().__init__(corpus.fields, batcher, shuffle=shuffle, seed=seed, share=share, num_workers=num_workers)
        self.corpus = corpus
        self._plan: tuple[int, list[list[Window[int]]]] | None = None
        self._chunk_size = _CHUNK * self.share.world_size

    def plan(self, epoch: int) -> list[list[Window[int]]]:
        """The windows of each batch of an epoch, as places in the corpus."""
        if self._plan is None or self._plan[0] != epoch:
            rng = self._rng(epoch, "batches")
            order: Sequence[int] = range(len(self.corpus))
            if self.shuffle:
                order = np.random.default_rng(rng.getrandbits(64)).permutation(len(self.corpus)).tolist()
            items = (_Item(place, self.corpus.lengths(place)) for place in order)
            grouped = self._grouped(items, rng)
            planned = chain.from_iterable(iter(lambda: self._by_work(islice(grouped, self._chunk_size)), []))
            self._plan = epoch, [[window.map(attrgetter("place")) for window in windows] for windows in planned]
        return self._plan[1]

    def chunks(self, epoch: int, start: int, step: int) -> Iterator[Chunk]:
        for number in count(start, step):
            batches = self._chunk(epoch, number)
            if not batches:
                return
            own = self._in_step(self.share.of(batches), epoch, number)
            windows = list(chain.from_iterable(own))
            yield Chunk(len(windows), map(partial(self._batch, epoch), windows))

    def _chunk(self, epoch: int, number: int) -> list[list[Window[int]]]:
        return self.plan(epoch)[number * self._chunk_size : (number + 1) * self._chunk_size]

    def _batch(self, epoch: int, window: Window[int]) -> Batch:
        return collate_window(window.map(lambda index: self._drawn(self.corpus[index], epoch)), self.fields)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "last_report": self.corpus.report.state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Raises a UserError if this corpus is not the one that the state stands in."""
        before, now = SplitReport.from_state(state["last_report"]), self.corpus.report
        if before.fingerprint != now.fingerprint:
            raise UserError(
                f"the training split has other texts than when this training was stopped ({now.rows} rows, "
                f"{before.rows} then): give it its data again, or begin a new run from its weights (--start_from)"
            )
        super().load_state_dict({**state, "last_report": None})

    def __len__(self) -> int:
        """Batches of an epoch, idle ones counted.

        Raises:
            TypeError: it differs between epochs. Lightning would cut the longer ones.
        """
        if self.shuffle and not self.batcher.constant_count:
            raise TypeError(f"{type(self.batcher).__name__} gives a different number of batches each epoch")
        epoch, ranks = self.epoch if self.shuffle else 0, range(self.share.world_size)
        chunks = takewhile(bool, (self._chunk(epoch, number) for number in count()))
        return sum(max(sum(map(len, chunk[rank :: len(ranks)])) for rank in ranks) for chunk in chunks)


class _Item(NamedTuple):
    place: int
    lengths: tuple[int, ...]
