"""Several ranks in one process, as threads that wait for one another."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any, TypeVar

from s2s_lit.data.loading.dealing import Share

T = TypeVar("T")


@dataclass
class _Meeting:
    barrier: Barrier
    values: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ThreadShare(Share):
    """A share whose ranks gather in memory; one that does not come breaks the meeting for all."""

    meeting: Any = None

    def gather(self, value: T) -> list[T]:
        self.meeting.values[self.rank] = value
        self.meeting.barrier.wait(timeout=20)
        gathered = [self.meeting.values[rank] for rank in range(self.world_size)]
        self.meeting.barrier.wait(timeout=20)
        return gathered


def each_rank(world_size: int, work: Callable[[Share], T]) -> list[T]:
    """What `work` returns on each rank."""
    meeting = _Meeting(Barrier(world_size))
    with ThreadPoolExecutor(world_size) as pool:
        return list(pool.map(work, [ThreadShare(rank, world_size, meeting) for rank in range(world_size)]))
