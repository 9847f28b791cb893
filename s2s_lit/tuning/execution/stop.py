"""How a sweep is stopped: by a first signal orderly, by a second one at once."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from types import FrameType

from s2s_lit.tuning.execution.progress import print_nowhere

SILENCE_S = 5.0


class Stop:
    """Whether the sweep is to end: a first Ctrl-C, SIGTERM or SIGHUP (a closed terminal) asks for it.

    Nobody is waited for then: where nothing happens for `SILENCE_S`, as in a call to a store that hangs, a TimeoutError
    is raised.

    Attributes:
        asked: The answer.
    """

    def __init__(self) -> None:
        self.asked = False
        self._last = 0.0

    def happened(self) -> None:
        """To be called now and then by what goes on."""
        self._last = time.monotonic()

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Within it, signals are heard. A second one raises KeyboardInterrupt."""
        handlers = {signal.SIGINT: self._ask, signal.SIGTERM: self._ask, signal.SIGALRM: self._look}
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as `nohup` asks
            handlers[signal.SIGHUP] = self._ask
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            if self.asked:
                signal.setitimer(signal.ITIMER_REAL, 0)
            for number, former in before.items():
                signal.signal(number, former)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            print_nowhere()
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self.happened()
        signal.setitimer(signal.ITIMER_REAL, 1, 1)

    def _look(self, number: int, frame: FrameType | None) -> None:
        if time.monotonic() > self._last + SILENCE_S:
            self.happened()  # what comes next has as long
            raise TimeoutError(f"no answer for {SILENCE_S:.0f} s")
