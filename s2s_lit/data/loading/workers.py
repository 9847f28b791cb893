"""Chunks of batches, made by this process as they are needed or by worker processes ahead of it."""

from __future__ import annotations

import io
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Thread
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from s2s_lit.data.cleaning.report import SplitReport
from s2s_lit.errors import UserError
from s2s_lit.processes import end_with
from s2s_lit.types import Batch


@dataclass(frozen=True)
class Chunk:
    """A part of an epoch: `size` batches, which are made when they are taken, and what was counted on the way."""

    size: int
    batches: Iterable[Batch]
    report: SplitReport = field(default_factory=SplitReport)


Chunks = Callable[[int, int], Iterator[Chunk]]
"""Makes the chunks `start`, `start + step`, `start + 2 * step`, ... of an epoch."""


def made_by(workers: int, chunks: Chunks, start: int) -> Iterator[Chunk]:
    """The chunks from `start` on, in order, whoever makes them: worker w of W every W-th, from `start` + w on."""
    if not workers:
        yield from chunks(start, 1)
        return
    # A generator of its own, as it would draw a seed for its workers from the one that dropout draws from.
    loader: Any = DataLoader(
        _Made(chunks, start),
        batch_size=None,
        num_workers=workers,
        collate_fn=_as_it_is,
        generator=torch.Generator(),
        multiprocessing_context="fork" if sys.platform == "linux" else None,  # what lies in memory is shared
        worker_init_fn=partial(_end_with, os.getpid()),
    )
    with killed_workers_told():
        for chunk in loader:
            if isinstance(chunk, UserError):  # as it is, without the worker's traceback
                raise chunk
            yield replace(chunk, batches=_unpacked(chunk.batches))


@contextmanager
def killed_workers_told() -> Iterator[None]:
    """What torch raises for a worker that was killed, as a message for the user.

    It comes out of the loader, or out of whatever the main thread does when the operating system tells it.

    Raises:
        UserError: a worker was killed.
    """
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise UserError(
            "a process that makes batches was killed; if memory is short, lower data.num_workers or data.shuffle_pool"
        ) from error


class _Made(IterableDataset[Any]):
    """What one worker makes, as it travels."""

    def __init__(self, chunks: Chunks, start: int) -> None:
        self._chunks = chunks
        self._start = start

    def __iter__(self) -> Iterator[Chunk | UserError]:
        worker = get_worker_info()
        assert worker is not None
        try:
            for chunk in self._chunks(self._start + worker.id, worker.num_workers):
                yield replace(chunk, batches=_packed(chunk.batches))
        except UserError as error:
            yield error


def _packed(batches: Iterable[Batch]) -> Any:
    """One string of bytes: of shared tensors each would keep a file open."""
    file = io.BytesIO()
    _ByValue(file).dump(list(batches))
    return file.getvalue()


def _unpacked(packed: Any) -> Iterator[Batch]:
    return iter(pickle.loads(packed))


class _ByValue(pickle.Pickler):
    """Writes tensors as the numbers that they hold."""

    def reducer_override(self, value: Any) -> Any:
        return (torch.from_numpy, (value.numpy(),)) if isinstance(value, Tensor) else NotImplemented


def _end_with(parent: int, worker: int) -> None:
    """A worker ends with its parent, even if that is killed while the worker is still starting, and by nobody else.

    What stops a training, a launcher or a scheduler, may send SIGTERM to all of its processes, and a terminal sends
    Ctrl-C to all; the parent, which then ends as it should, would be told of a worker that has died.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        Thread(target=_await_sigterm, args=(parent,), daemon=True).start()
    end_with(parent, signal.SIGKILL)


def _await_sigterm(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)


def _as_it_is(chunk: Any) -> Any:
    return chunk
