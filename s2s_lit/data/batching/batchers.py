"""Which examples share a batch.

A batcher is an iterator from examples to lists of examples, so it works on a stream as it does in memory. It sees only
lengths, does not decide which examples are read, and gives each of them exactly once. A batch may then be shown to the
network in several windows of target positions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import Any, Generic, Protocol, TypeVar

from s2s_lit.errors import UserError


class Measured(Protocol):
    """What a batcher knows of an example."""

    @property
    def lengths(self) -> tuple[int, ...]:
        """Its positions in a padded batch: of the target, EOS counted, which cost the most, then of each input."""


class StepMemory(Protocol):
    """What a batcher may ask of the machine that trains, in bytes beyond the network's weights."""

    positions: dict[str, int]
    """The most that an example of the data may have, by field."""

    @property
    def free(self) -> int:
        """What training may take."""

    def needed(self, examples: int) -> int:
        """The most that a step takes with so many examples of those positions."""


T = TypeVar("T")
U = TypeVar("U")
M = TypeVar("M", bound=Measured)


@dataclass(frozen=True)
class Window(Generic[T]):
    """What one training step sees: the target positions from `start` to before `stop` of these examples.

    By default all of them. `continues` says for each example which one of the window before it is; `input_sizes` are
    the least widths that its inputs are padded to, in their order.
    """

    examples: list[T]
    start: int = 0
    stop: int | None = None
    continues: list[int] | None = None
    goes_on: bool = False
    input_sizes: tuple[int, ...] = ()

    def map(self, change: Callable[[T], U]) -> Window[U]:
        """The same window of what `change` makes of each example."""
        changed: Any = list(map(change, self.examples))
        return replace(self, examples=changed)  # type: ignore[return-value]


class Batcher(ABC):
    """Groups examples; the same examples and the same state of `rng` give the same batches."""

    constant_count: bool = True
    """Whether the number of windows is the same in whatever order the same examples come."""
    cuts: bool = False
    """Whether a window may continue examples of the one before it."""

    @abstractmethod
    def __call__(self, examples: Iterable[M], rng: Random) -> Iterator[list[M]]:
        """Lists of examples; `rng` is the only source of chance."""

    def windows(self, batch: list[M]) -> Iterator[Window[M]]:
        """The training steps of one batch: a single one that sees whole targets, unless a batcher cuts them."""
        yield Window(batch)

    def fit(self, memory: StepMemory) -> dict[str, int]:
        """Called before training; returns by name what was chosen for this machine, as it is to be recorded.

        Raises:
            UserError: the memory is too small for the smallest batch.
        """
        return {}

    def choose(self, chosen: Mapping[str, int]) -> None:  # noqa: B027  # most choose nothing
        """Takes what `fit` returned earlier instead: a training that goes on needs the same batches."""


class FixedSize(Batcher):
    """`size` examples a batch, in the order they come; the last may be smaller.

    Args:
        size: Examples in a batch.
    """

    def __init__(self, *, size: int) -> None:
        self.size = positive("size", size)

    def __call__(self, examples: Iterable[M], rng: Random) -> Iterator[list[M]]:
        return _chunks(examples, self.size)


class LengthBuckets(Batcher):
    """`size` examples of similar lengths a batch: a pool of examples is sorted and cut, its batches are shuffled.

    Args:
        size: Examples in a batch; the last of the pass may be smaller.
        pool: Examples sorted at a time, a multiple of `size` (rounded up to one).
    """

    def __init__(self, *, size: int, pool: int = 6400) -> None:
        self.size = positive("size", size)
        self.pool = -(-positive("pool", pool) // size) * size

    def __call__(self, examples: Iterable[M], rng: Random) -> Iterator[list[M]]:
        for pool in _chunks(examples, self.pool):
            pool.sort(key=_lengths)
            batches = list(_chunks(pool, self.size))
            rng.shuffle(batches)
            yield from batches


class TokenBudget(Batcher):
    """As many examples of similar lengths a batch as fit a budget, padding counted.

    A batch of B examples whose longest field has n positions costs B * n tokens (the rule of most toolkits). An example
    that alone is longer than the budget makes a batch of its own.

    Args:
        max_tokens: Most tokens of a batch.
        pool: Examples sorted at a time.
    """

    constant_count = False

    def __init__(self, *, max_tokens: int, pool: int = 6400) -> None:
        self.max_tokens = positive("max_tokens", max_tokens)
        self.pool = positive("pool", pool)

    def __call__(self, examples: Iterable[M], rng: Random) -> Iterator[list[M]]:
        for pool in _chunks(examples, self.pool):
            pool.sort(key=_lengths)
            batches = list(self._fill(pool))
            rng.shuffle(batches)
            yield from batches

    def _fill(self, examples: Iterable[M]) -> Iterator[list[M]]:
        batch: list[M] = []
        longest = 0
        for example in examples:
            longest = max(longest, *example.lengths)
            if batch and (len(batch) + 1) * longest > self.max_tokens:
                yield batch
                batch, longest = [], max(example.lengths)
            batch.append(example)
        if batch:
            yield batch


def _lengths(example: Measured) -> tuple[int, ...]:
    return example.lengths


def _chunks(examples: Iterable[M], size: int) -> Iterator[list[M]]:
    remaining = iter(examples)
    while chunk := list(islice(remaining, size)):
        yield chunk


def positive(name: str, value: int, *, of: str = "data.batcher") -> int:
    """The value, which must be at least one."""
    if value < 1:
        raise UserError(f"{of}.{name} must be at least 1, not {value}")
    return value
