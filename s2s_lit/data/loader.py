"""Batches in an order that is ours: a function of (seed, epoch) alone, so that it can stop and go on anywhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from operator import attrgetter
from random import Random
from typing import NamedTuple, TypeVar

import numpy as np

from s2s_lit.data.batchers import Batcher, Measured, Window
from s2s_lit.data.cleaning import SplitReport
from s2s_lit.data.collate import collate_window
from s2s_lit.data.examples import EncodedCorpus, Encoder, Resegmenter
from s2s_lit.data.rows import Rows
from s2s_lit.types import Batch, Example

T = TypeVar("T")
M = TypeVar("M", bound=Measured)


class BatchLoader(ABC):
    """An iterable of batches; each whole pass over a shuffled one is the next epoch, in another order.

    Where the batcher cuts targets into windows, each of them is a batch.

    Its state is `{"epoch", "batches"}`: batches of that epoch that were handed out. A loader that loads it goes on with
    the very next batch.

    Args:
        batcher: Groups the sentences.
        shuffle: Whether epochs differ; without, every pass is the same.
        seed: The order is a function of it and of the epoch.
    """

    def __init__(self, batcher: Batcher, *, shuffle: bool, seed: int) -> None:
        self.batcher = batcher
        self.shuffle = shuffle
        self.seed = seed
        self.epoch = 0
        self.progress: Callable[[], tuple[int, int]] | None = None
        """Who knows better than this loader which batches were used: Lightning fetches one ahead."""
        self.resegment: Resegmenter | None = None
        """Draws the pieces of each sentence anew each epoch."""
        self._start = 0
        self._at = (0, 0)

    @abstractmethod
    def windows(self, epoch: int, start: int) -> Iterator[Window[Example]]:
        """The batches of an epoch from number `start` on."""

    def set_epoch(self, epoch: int) -> None:
        """The next pass is this epoch, from its start unless a loaded state stands within it."""
        if epoch != self.epoch:
            self.epoch, self._start = epoch, 0

    @property
    def sampler(self) -> BatchLoader:
        """Lightning tells `loader.sampler` the epoch, and looks at `batch_sampler` where there is one."""
        return self

    batch_sampler = None

    def __iter__(self) -> Iterator[Batch]:
        self._at = (self.epoch, self._start)
        return self._iterate(*self._at)

    def _iterate(self, epoch: int, start: int) -> Iterator[Batch]:
        for number, window in enumerate(self.windows(epoch if self.shuffle else 0, start), start + 1):
            self._at = (epoch, number)
            yield collate_window(window)
        self.epoch, self._start = epoch + 1, 0
        self._at = (self.epoch, 0)

    def state_dict(self) -> dict[str, int]:
        epoch, batches = self.progress() if self.progress is not None else self._at
        return {"epoch": epoch, "batches": batches}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        self.epoch, self._start = state["epoch"], state["batches"]
        self._at = (self.epoch, self._start)

    def _drawn(self, example: Example, epoch: int) -> Example:
        return example if self.resegment is None else self.resegment(example, epoch)

    def _grouped(self, examples: Iterable[M], rng: Random) -> Iterator[Window[M]]:
        return chain.from_iterable(map(self.batcher.windows, self.batcher(examples, rng)))

    def _rng(self, epoch: int, purpose: str) -> Random:
        return Random(f"{self.seed} {epoch} {purpose}")


class MemoryLoader(BatchLoader):
    """Batches of an encoded corpus, fully shuffled, planned a whole epoch at a time from the lengths alone.

    Where sentences are segmented anew each epoch, these are the lengths of the deterministic segmentation.

    Args:
        corpus: The encoded sentences.
        batcher: Groups the sentences.
        shuffle: Whether epochs differ.
        seed: The order is a function of it and of the epoch.
    """

    def __init__(self, corpus: EncodedCorpus, batcher: Batcher, *, shuffle: bool, seed: int) -> None:
        super().__init__(batcher, shuffle=shuffle, seed=seed)
        self.corpus = corpus
        self._plan: tuple[int, list[Window[int]]] | None = None

    def plan(self, epoch: int) -> list[Window[int]]:
        """The batches of an epoch as places in the corpus."""
        if self._plan is None or self._plan[0] != epoch:
            rng = self._rng(epoch, "batches")
            order: Sequence[int] = range(len(self.corpus))
            if self.shuffle:
                order = np.random.default_rng(rng.getrandbits(64)).permutation(len(self.corpus)).tolist()
            items = (_Place(index, *self.corpus.lengths(index)) for index in order)
            windows = self._grouped(items, rng)
            self._plan = epoch, [window.map(attrgetter("place")) for window in windows]
        return self._plan[1]

    def windows(self, epoch: int, start: int) -> Iterator[Window[Example]]:
        for window in self.plan(epoch)[start:]:
            yield window.map(lambda index: self._drawn(self.corpus[index], epoch))

    def __len__(self) -> int:
        """Batches of an epoch.

        Raises:
            TypeError: it differs between epochs. Lightning would cut the longer ones.
        """
        if self.shuffle and not self.batcher.constant_count:
            raise TypeError(f"{type(self.batcher).__name__} gives a different number of batches each epoch")
        return len(self.plan(self.epoch if self.shuffle else 0))


class _Place(NamedTuple):
    place: int
    source_length: int
    target_length: int


class StreamLoader(BatchLoader):
    """Batches of rows that are read again each epoch: shards in random order, rows through a bounded pool.

    A loaded state is reached by reading and encoding again what came before it, so that pool and batcher stand exactly
    where they stood.

    Args:
        rows: The rows of the split.
        encoder: Turns them into examples.
        batcher: Groups the sentences.
        shuffle: Whether epochs differ.
        seed: The order is a function of it and of the epoch.
        pool: Sentences among which the next one is drawn.
    """

    def __init__(
        self, rows: Rows, encoder: Encoder, batcher: Batcher, *, shuffle: bool, seed: int, pool: int = 1
    ) -> None:
        super().__init__(batcher, shuffle=shuffle, seed=seed)
        self.rows = rows
        self.encoder = encoder
        self.pool = pool
        self.report = SplitReport()
        """Of the last whole pass, or of the first one so far."""

    def windows(self, epoch: int, start: int) -> Iterator[Window[Example]]:
        report = SplitReport()
        if self.report.rows == 0:
            self.report = report
        shards = list(range(self.rows.num_shards))
        if self.shuffle:
            self._rng(epoch, "shards").shuffle(shards)
        examples = self.encoder(self.rows.numbered(shards), report)
        if self.shuffle:
            examples = drawn_from_pool(examples, self.pool, self._rng(epoch, "pool"))
        drawn = (self._drawn(example, epoch) for example in examples)
        yield from islice(self._grouped(drawn, self._rng(epoch, "batches")), start, None)
        self.report = report


def drawn_from_pool(items: Iterable[T], size: int, rng: Random) -> Iterator[T]:
    """All items once, each drawn at random from a pool of `size` that is refilled in the order they come."""
    remaining = iter(items)
    pool = list(islice(remaining, size))
    for item in remaining:
        index = rng.randrange(len(pool))
        yield pool[index]
        pool[index] = item
    rng.shuffle(pool)
    yield from pool
