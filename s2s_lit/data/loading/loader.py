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
from itertools import chain, count, islice, repeat
from random import Random
from typing import Any, NamedTuple, TypeVar

from s2s_lit.data.batching.batchers import Batcher, Measured, Window
from s2s_lit.data.cleaning.report import SplitReport
from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.loading.dealing import Share
from s2s_lit.data.loading.encoding import Redraw
from s2s_lit.data.loading.workers import Chunk, made_by
from s2s_lit.types import Batch, Example

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Measured)
T = TypeVar("T")

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
        fields: What the examples consist of.
        batcher: Groups the examples.
        shuffle: Whether epochs differ; without, every pass is the same.
        seed: The order is a function of it and of the epoch.
        share: Which process this is.
        num_workers: Processes that make chunks ahead; batches and their order are the same with any number.
    """

    def __init__(
        self,
        fields: Fields,
        batcher: Batcher,
        *,
        shuffle: bool,
        seed: int,
        share: Share | None = None,
        num_workers: int = 0,
    ) -> None:
        self.fields = fields
        self.batcher = batcher
        self.shuffle = shuffle
        self.seed = seed
        self.share = share or Share()
        self.num_workers = num_workers
        self.report = SplitReport()
        """Of the last whole pass, or of the first one so far, where rows are read on each pass."""
        self.progress: Callable[[], tuple[int, int]] | None = None
        """Who knows better than this loader which batches were used: Lightning fetches one ahead."""
        self.redraw: Redraw | None = None
        """Draws the tokens of each example anew each epoch."""
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
            batches = chain(chunk.batches if chunk is not None else (), repeat(Batch.idle(self.fields.idle_inputs())))
            for done, batch in enumerate(islice(batches, size), before + 1):
                if done > start:
                    self._at = epoch, done
                    yield batch
            before += size
        if self.shuffle and not before:  # or a training would begin one empty epoch after the other
            report.require_examples()
        if self.shuffle and self.report.rows and self.report.fingerprint != report.fingerprint:
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
        return example if self.redraw is None else self.redraw(example, epoch)

    def _grouped(self, examples: Iterable[M], rng: Random) -> Iterator[list[Window[M]]]:
        """Of each batch its windows."""
        return map(list, map(self.batcher.windows, self.batcher(examples, rng)))

    def _by_work(self, batches: Iterable[list[Window[M]]]) -> list[list[Window[M]]]:
        """From the least work to the most, where several processes take turns at them."""
        return list(batches) if self.share.world_size == 1 else sorted(batches, key=_work)

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


def _work(batch: list[Window[M]]) -> tuple[int, int]:
    """The steps that a batch takes, and the positions of it, padding counted."""
    examples = batch[0].examples
    longest = map(max, zip(*(example.lengths for example in examples), strict=True))
    return len(batch), len(examples) * sum(longest)
