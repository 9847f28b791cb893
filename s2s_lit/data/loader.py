"""Batches in an order that is ours: a function of (seed, epoch) alone, so that it can stop and go on anywhere.

An epoch is a sequence of chunks, each made for itself from (seed, epoch, number): by this process or by a worker ahead
of it. What one of several processes trains on is dealt out chunk by chunk, and there they agree on equal steps, each of
about the same work for all of them, as it lasts as long as the slowest takes.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import partial
from itertools import chain, count, islice, repeat, takewhile
from operator import attrgetter
from random import Random
from typing import Any, NamedTuple, TypeVar

import numpy as np

from s2s_lit.data.batchers import Batcher, Measured, Window, lengths
from s2s_lit.data.cleaning import SplitReport
from s2s_lit.data.collate import collate_window
from s2s_lit.data.examples import EncodedCorpus, Encoder, Resegmenter
from s2s_lit.data.rows import Malformed, Row, Rows
from s2s_lit.data.share import Share
from s2s_lit.data.workers import Chunk, made_by
from s2s_lit.errors import UserError
from s2s_lit.types import Batch, Example

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Measured)
T = TypeVar("T")

_CHUNK = 64  # batches of a chunk in memory, for each process
_FETCHED = 8  # batches, more than anyone fetches ahead of those that are used


class _Place(NamedTuple):
    """Where a chunk begins: its number, the batches of the epoch before it, what was counted in them."""

    chunk: int = 0
    before: int = 0
    report: SplitReport = SplitReport()


class BatchLoader(ABC):
    """An iterable of batches; each whole pass over a shuffled one is the next epoch, in another order.

    Where the batcher cuts targets into windows, each of them is a batch. Several processes get the same number of
    batches: who has fewer in a chunk than another is given idle ones.

    Its state says which batches were handed out (`epoch`, `batches`), where the chunk of the next one begins
    (`chunk`, `before`, `report`), and what the last whole pass counted (`last_report`). A loader that loads it goes on
    with the very next batch.

    Args:
        batcher: Groups the sentences.
        shuffle: Whether epochs differ; without, every pass is the same.
        seed: The order is a function of it and of the epoch.
        share: Which process this is.
        num_workers: Processes that make chunks ahead; batches and their order are the same with any number.
    """

    def __init__(
        self, batcher: Batcher, *, shuffle: bool, seed: int, share: Share | None = None, num_workers: int = 0
    ) -> None:
        self.batcher = batcher
        self.shuffle = shuffle
        self.seed = seed
        self.share = share or Share()
        self.num_workers = num_workers
        self.report = SplitReport()
        """Of the last whole pass, or of the first one so far, where rows are read on each pass."""
        self.progress: Callable[[], tuple[int, int]] | None = None
        """Who knows better than this loader which batches were used: Lightning fetches one ahead."""
        self.resegment: Resegmenter | None = None
        """Draws the pieces of each sentence anew each epoch."""
        self._places: deque[tuple[int, _Place]] = deque()  # the chunks that were begun last, with their epochs
        self._stand_at(0)

    @abstractmethod
    def chunks(self, epoch: int, start: int, step: int) -> Iterator[Chunk]:
        """What this process has of the chunks `start`, `start + step`, `start + 2 * step`, ... of an epoch."""

    def _stand_at(self, epoch: int, batches: int = 0, place: _Place | None = None) -> None:
        self.epoch = epoch
        self._start = batches, place or _Place()
        self._at = epoch, batches

    def set_epoch(self, epoch: int) -> None:
        """The next pass is this epoch, from its start unless a loaded state stands within it."""
        if epoch != self.epoch:
            self._stand_at(epoch)

    @property
    def sampler(self) -> BatchLoader:
        """Lightning tells `loader.sampler` the epoch, and looks at `batch_sampler` where there is one."""
        return self

    batch_sampler = None

    def __iter__(self) -> Iterator[Batch]:
        start, place = self._start
        self._at = self.epoch, start
        self._places = deque([(self.epoch, place)])
        return self._iterate(self.epoch, start, place)

    def _iterate(self, epoch: int, start: int, place: _Place) -> Iterator[Batch]:
        chunks = made_by(self.num_workers, partial(self.chunks, epoch if self.shuffle else 0), place.chunk)
        report, before = deepcopy(place.report), place.before
        if not epoch or not self.report.rows:
            self.report = report
        for number in count(place.chunk):
            chunk = next(chunks, None)
            own = None if chunk is None else (chunk.size, chunk.report)
            shares = [each for each in self.share.gather(own) if each is not None]
            if not shares:
                break
            self._begin(epoch, _Place(number, before, deepcopy(report)))
            for _, counted in shares:
                report.add(counted)
            size = max(each for each, _ in shares)
            batches = chain(chunk.batches if chunk is not None else (), repeat(Batch.idle()))
            for done, batch in enumerate(islice(batches, size), before + 1):
                if done > start:
                    self._at = epoch, done
                    yield batch
            before += size
        if self.shuffle and not before:  # or a training would begin one empty epoch after the other
            report.require_pairs()
        if self.report.rows and self.report.fingerprint != report.fingerprint:
            log.warning("The data has changed: %d rows in this pass, %d before.", report.rows, self.report.rows)
        self.report = report
        self._stand_at(epoch + 1)

    def _begin(self, epoch: int, place: _Place) -> None:
        """Remembers where a chunk begins as long as somebody may not have used the batches before it."""
        places = self._places
        places.append((epoch, place))
        while len(places) > 1 and (places[1][0], places[1][1].before + _FETCHED) <= self._at:
            places.popleft()

    def state_dict(self) -> dict[str, Any]:
        epoch, batches = self.progress() if self.progress is not None else self._at
        begun = [place for of, place in self._places if of == epoch and place.before <= batches]
        chunk, before, report = begun[-1] if begun else _Place()
        reports = {"report": report.state(), "last_report": self.report.state() if epoch else None}
        return {"epoch": epoch, "batches": batches, "chunk": chunk, "before": before, **reports}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        place = _Place(state["chunk"], state["before"], SplitReport.from_state(state["report"]))
        self._stand_at(state["epoch"], state["batches"], place)
        if state["last_report"] is not None:
            self.report = SplitReport.from_state(state["last_report"])
        self._places = deque([(self.epoch, place)])

    def __getstate__(self) -> dict[str, Any]:
        """What a worker needs."""
        return {**self.__dict__, "progress": None}

    def _drawn(self, example: Example, epoch: int) -> Example:
        return example if self.resegment is None else self.resegment(example, epoch)

    def _grouped(self, examples: Iterable[M], rng: Random) -> Iterator[list[Window[M]]]:
        """Of each batch its windows."""
        return map(list, map(self.batcher.windows, self.batcher(examples, rng)))

    def _in_step(self, batches: Sequence[list[Window[T]]], epoch: int, chunk: int) -> Sequence[list[Window[T]]]:
        """A process's batches of a chunk, from the least work to the most, in a random order.

        All processes draw the same numbers, and each takes what lies so far along what it still has: at the same step
        that is about the same work, also if one has a few batches more than another.
        """
        if self.share.world_size == 1:
            return batches
        rng, left = self._rng(epoch, f"steps {chunk}"), list(batches)
        return [left.pop(int(rng.random() * len(left))) for _ in batches]

    def _rng(self, epoch: int, purpose: str) -> Random:
        return Random(f"{self.seed} {epoch} {purpose}")


class MemoryLoader(BatchLoader):
    """Batches of an encoded corpus, fully shuffled, planned a whole epoch at a time from the lengths alone.

    Where sentences are segmented anew each epoch, these are the lengths of the deterministic segmentation. Processes
    take turns at the batches of the one plan.

    Args:
        corpus: The encoded sentences.
        batcher: Groups the sentences.
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
        super().__init__(batcher, shuffle=shuffle, seed=seed, share=share, num_workers=num_workers)
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
            items = (_Item(place, *self.corpus.lengths(place)) for place in order)
            grouped = list(self._grouped(items, rng))
            if self.share.world_size > 1:
                starts = range(0, len(grouped), self._chunk_size)
                grouped = [
                    each for start in starts for each in sorted(grouped[start : start + self._chunk_size], key=_work)
                ]
            self._plan = epoch, [[window.map(attrgetter("place")) for window in windows] for windows in grouped]
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
        return collate_window(window.map(lambda index: self._drawn(self.corpus[index], epoch)))

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
    source_length: int
    target_length: int


class StreamLoader(BatchLoader):
    """Batches of rows that are read again each epoch: shards in random order, and rows shuffled among `pool` of them.

    Each `pool` of rows is a chunk that is encoded, shuffled and grouped for itself, so that a batcher's last batch in
    it may be smaller. A loaded state is reached by reading what came before its chunk; only what it needs is encoded.

    Of several processes, each reads shards of its own to train on, or its rows of shards that do not go round. In
    evaluation all read all, and take turns at the batches.

    Args:
        rows: The rows of the split.
        encoder: Turns them into examples.
        batcher: Groups the sentences.
        shuffle: Whether epochs differ, as for training.
        seed: The order is a function of it and of the epoch.
        share: Which process this is.
        num_workers: Processes that encode ahead. Each of them reads all rows of this process.
        pool: Rows that are shuffled together.
    """

    def __init__(
        self,
        rows: Rows,
        encoder: Encoder,
        batcher: Batcher,
        *,
        shuffle: bool,
        seed: int,
        share: Share | None = None,
        num_workers: int = 0,
        pool: int = 1,
    ) -> None:
        super().__init__(batcher, shuffle=shuffle, seed=seed, share=share, num_workers=num_workers)
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

    def _chunk(self, epoch: int, number: int, encoder: Encoder, pool: list[tuple[int, Row | Malformed]]) -> Chunk:
        report = SplitReport()
        examples = list(encoder(pool, report))
        if self.shuffle:
            self._rng(epoch, f"pool {number}").shuffle(examples)
        drawn = (self._drawn(example, epoch) for example in examples)
        batches: Sequence[list[Window[Example]]] = list(self._grouped(drawn, self._rng(epoch, f"batches {number}")))
        if self.share.world_size > 1:
            batches = sorted(batches, key=_work)
        if not self.shuffle:
            batches = self.share.of(batches)
            report = report if self.share.rank == 0 else SplitReport()  # all have counted the same
        windows = list(chain.from_iterable(self._in_step(batches, epoch, number)))
        return Chunk(len(windows), map(collate_window, windows), report)


def _work(batch: list[Window[M]]) -> tuple[int, int]:
    """The steps that a batch takes, and the positions of it, padding counted."""
    examples = batch[0].examples
    longest = map(max, zip(*map(lengths, examples), strict=True))
    return len(batch), len(examples) * sum(longest)
