"""Ctrl-C and SIGTERM, which ask a training to stop between two steps."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from types import FrameType
from typing import Any

from s2s_lit.errors import Terminated

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_AGAIN_S = 0.5  # what comes sooner is the same request: Linux tells of a parent's death once for each of its threads


class StopSignals:
    """Notes that one of the signals came while it listens; a second one stops at once.

    Attributes:
        asked: The signal that came, 0 if none did.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._asked_at = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def listen(self) -> None:
        """From now on the signals only ask."""
        if threading.current_thread() is threading.main_thread():  # only there can handlers be set
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}

    def stop_listening(self) -> None:
        """The signals do again what they did before."""
        for number, handler in self._before.items():
            with contextlib.suppress(TypeError):  # of a handler that was not set from Python
                signal.signal(number, handler)
        self._before = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        if not self.asked:
            self.asked, self._asked_at = number, time.monotonic()
        elif time.monotonic() - self._asked_at > _AGAIN_S:  # somebody is in a hurry
            raise stopped_by(number)


def stopped_by(number: int) -> BaseException:
    """What ends a program that such a signal stops."""
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated()
