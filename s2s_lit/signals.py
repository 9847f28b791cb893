"""What a process does when it is asked to end."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from s2s_lit.errors import Terminated


@contextlib.contextmanager
def raised_sigterm() -> Iterator[None]:
    """SIGTERM raises `Terminated` in the body, as Ctrl-C raises `KeyboardInterrupt`. It does so once.

    What comes later is ignored, so that the body can clean up.
    (Linux tells a process of its parent's death several times: once for each thread of the parent that it was left to.)
    """
    with handled_sigterm(_raise):
        yield


@contextlib.contextmanager
def handled_sigterm(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """SIGTERM calls `handler` in the body. Outside of the main thread Python allows no handlers: nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise(signum: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated
