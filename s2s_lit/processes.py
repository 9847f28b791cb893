"""The processes that train together: sums over all of them, values of the first, one end for all.

A program that runs alone is one process: nothing here then communicates, and every value stays what it is. What
`torchrun` started meets in `joined`. Numbers travel where they lie, objects and numbers of the host by gloo.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from s2s_lit.errors import PeerError, Terminated, UserError

T = TypeVar("T")

OURS = "s2s"
"""What a launch of ours calls itself; a scheduler's has a name of its own."""

TIMEOUT = timedelta(minutes=30)
"""How long a process waits for the others, while the first one builds vocabularies or uploads a checkpoint, too."""
_CLAIM, _ENDED = "s2s_lit/first_error", "s2s_lit/first_ended"
_ENDING_S = 60.0
_PDEATHSIG = 1  # of Linux's prctl
_store: dist.Store | None = None


def launched() -> bool:
    """Whether `torchrun` started this process."""
    return dist.is_available() and dist.is_torchelastic_launched()


def world_size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """This process's number; 0 prints, records and builds."""
    return dist.get_rank() if world_size() > 1 else 0


def local_world_size() -> int:
    """How many of them run on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1)) if world_size() > 1 else 1


def summed(values: Tensor) -> Tensor:
    """The sum over all processes, each of which calls this."""
    if world_size() > 1:
        values = values.clone()
        dist.all_reduce(values)
    return values


def differentiable_sum(values: Tensor) -> Tensor:
    """The same, through which gradients flow: those of all processes' sums come back to each of them."""
    if world_size() == 1:
        return values
    from torch.distributed.nn.functional import all_reduce  # takes time to import

    total: Tensor = all_reduce(values)
    return total


def largest(value: int) -> int:
    """The largest of all processes' values, each of which calls this."""
    if world_size() == 1:
        return value
    agreed = torch.tensor(value)
    dist.all_reduce(agreed, dist.ReduceOp.MAX)
    return int(agreed)


def smallest(value: int) -> int:
    """The smallest of all processes' values."""
    return -largest(-value)


def of_all(value: T) -> list[T]:
    """All processes' values, in the order of their ranks."""
    if world_size() == 1:
        return [value]
    values: list[Any] = [None] * world_size()
    dist.all_gather_object(values, value)
    return values


def from_first(make: Callable[[], T]) -> T:
    """What the first process makes, in all of them."""
    if world_size() == 1:
        return make()
    made: list[Any] = [make() if rank() == 0 else None]
    dist.broadcast_object_list(made)
    found: T = made[0]
    return found


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Within it, all processes that `torchrun` started are one training; where it did not, nothing happens.

    Only the first one writes to the terminal. An error of any ends all of them, see `failing_together`; so does the
    death of whoever started them.

    Raises:
        UserError: the others did not come.
    """
    global _store
    if not launched() or world_size() > 1:
        yield
        return
    end_with(os.getppid())
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    try:
        _store, number, size = next(iter(dist.rendezvous("env://", timeout=TIMEOUT)))
        own = dist.PrefixStore("s2s_lit", _store)
        dist.init_process_group(backend, store=own, rank=number, world_size=size, timeout=TIMEOUT)
    except (dist.DistError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"this process did not find the others (MASTER_ADDR={os.environ.get('MASTER_ADDR')}, "
            f"RANK={os.environ.get('RANK')} of WORLD_SIZE={os.environ.get('WORLD_SIZE')}): {reason}"
        ) from error
    with ExitStack() as quiet:
        if number:
            nowhere = quiet.enter_context(open(os.devnull, "w"))
            quiet.enter_context(contextlib.redirect_stdout(nowhere))
            quiet.enter_context(contextlib.redirect_stderr(nowhere))
        try:
            with failing_together():
                yield
                largest(0)  # none leaves while another one still needs it
        except BaseException:
            _let_first_end(number)
            raise
    dist.destroy_process_group()
    _store = None


def _let_first_end(number: int) -> None:
    """The first process, which records, shall know of the failure and end its run before a launcher ends it."""
    assert _store is not None
    with contextlib.suppress(dist.DistError, RuntimeError):  # whoever kept the store is gone
        if number == 0:
            _store.set(_ENDED, "")
            return
        dist.destroy_process_group()  # so that it finds its connections closed
        deadline = time.monotonic() + _ENDING_S
        while not _store.check([_ENDED]) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)  # until it has said what was wrong


@contextlib.contextmanager
def failing_together() -> Iterator[None]:
    """What the body raises first, in whatever process, is what happened; the others' errors follow from it.

    That process's error goes on as it is. The others, which find a connection closed or are told to stop, raise what
    says so without another word: `PeerError`, or `KeyboardInterrupt` or `Terminated` where it was that.
    """
    try:
        yield
    except BaseException as error:
        if world_size() == 1 or _store is None or isinstance(error, PeerError):
            raise
        first = _first_error(error)
        if first is None:
            raise
        raise first from None


def _first_error(error: BaseException) -> BaseException | None:
    """What this process raises instead of its own error; None if that is the first one."""
    assert _store is not None
    kind = _kind(error)
    if kind == "lost":  # whoever left without a claim was killed
        error = ChildProcessError("another process of this training has died")
    try:
        claim = _store.compare_set(_CLAIM, "", f"{rank()} {kind} {type(error).__name__}: {error}").decode()
    except (dist.DistError, RuntimeError):  # the launcher has died, which ends all
        return Terminated() if kind == "lost" else None
    owner, kind, text = claim.split(" ", 2)
    if owner == str(rank()):
        return error if kind == "lost" else None
    if kind == "interrupted":
        return KeyboardInterrupt()
    if kind == "terminated":
        return Terminated()
    return PeerError(f"process {owner}: {text}", status=2 if kind == "user" else 1)


def _kind(error: BaseException) -> str:
    if isinstance(error, UserError):
        return "user"
    cause = error.__context__ if isinstance(error, SystemExit) else error  # Lightning exits within `except`
    if isinstance(cause, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, SystemExit) or type(error).__name__ == "SIGTERMException":
        return "terminated"
    text = str(error)
    lost = isinstance(error, dist.DistError) or "gloo" in text or "Connection closed" in text
    return "lost" if lost else "crash"


def end_with(parent: int, number: signal.Signals = signal.SIGTERM) -> None:
    """Linux sends this process the signal when its parent, of that id, dies; elsewhere it goes on alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PDEATHSIG, number)
        if os.getppid() != parent:  # it has died before it was asked for
            os.kill(os.getpid(), number)
