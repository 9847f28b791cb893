"""One process among several that train together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from s2s_lit.data.sources.rows import Malformed, Row, Rows
from s2s_lit.processes import of_all

T = TypeVar("T")


@dataclass(frozen=True)
class Share:
    """What process `rank` of `world_size` takes of things that are dealt out: those of all ranks together are all."""

    rank: int = 0
    world_size: int = 1

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """Every `world_size`-th item."""
        return items[self.rank :: self.world_size]

    def of_rows(self, rows: Rows, shards: Sequence[int]) -> Iterator[tuple[int, Row | Malformed]]:
        """Whole shards as far as they go round; those left over are read by all, who take turns at their rows."""
        whole = len(shards) // self.world_size * self.world_size
        yield from rows.numbered(self.of(shards[:whole]))
        yield from islice(rows.numbered(shards[whole:]), self.rank, None, self.world_size)

    def gather(self, value: T) -> list[T]:
        """The values of all ranks, in their order; each of them has to call this."""
        return [value] if self.world_size == 1 else of_all(value)
