"""One process that trains, with all that it starts, on its share of the machine."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from s2s_lit.tracking.process_identity import identity, process_alive
from s2s_lit.tuning.execution.marks import MARK, end_marked, marked
from s2s_lit.tuning.execution.slots import Slot
from s2s_lit.tuning.execution.work import Work

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "s2s_lit", "trial")
_TAIL_BYTES = 4000
_KILLED_S = 10.0  # a killed process may have memory to give back


class Worker:
    """A process at work. It is the head of a process group and bears a mark, so that all that it starts ends with it.

    Args:
        work: What it does.
        slot: Where.
        folder: For the file that tells it so.
        log: What it prints is added to this file.
        command: The program; the file's name is appended.
    """

    def __init__(self, work: Work, slot: Slot, *, folder: Path, log: Path, command: Sequence[str] = COMMAND) -> None:
        self.work, self.slot, self.log = work, slot, log
        self.result: dict[str, Any] | None = None  # what it said at its end
        self.since = time.time()
        self._asked = math.inf  # to end, when
        mark = uuid.uuid4().hex
        file = folder / f"trial-{work.number}-{work.seed}.json"
        work.write(file)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, str(file)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **slot.environment, MARK: mark},
                start_new_session=True,  # Ctrl-C is the supervisor's to answer
            )
        self.identity = {**identity(self._process.pid), "mark": mark}

    @property
    def status(self) -> int | None:
        """None while it runs; negative if a signal ended it."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process and its group; a launcher hands it on to those that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def stop(self, patience_s: float) -> None:
        """Asks it to save what it has and end, and kills it after so many seconds; to be called until it has ended."""
        now = time.monotonic()
        if now < self._asked:
            self._asked = now
            self.signal(signal.SIGTERM)
        elif now > self._asked + patience_s:
            self.signal(signal.SIGKILL)

    def end(self) -> None:
        """Leaves nothing of it."""
        self.signal(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_KILLED_S)
        _end(self.identity)

    def last_words(self) -> str:
        """The last line that it printed."""
        with contextlib.suppress(OSError):
            lines = self.log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip().splitlines()
            return lines[-1].strip() if lines else ""
        return ""


def end_left_over(record: Mapping[str, Any] | None, patience_s: float = 5.0) -> None:
    """Ends what a dead supervisor of this machine left; it would have ended by itself a little later."""
    if not record or process_alive(record) is None:
        return
    deadline = time.monotonic() + patience_s
    while marked(record["mark"]) and time.monotonic() < deadline:
        time.sleep(0.2)
    _end(record)


def _end(record: Mapping[str, Any]) -> None:
    if not end_marked(record["mark"]):
        log.warning("A process that process %s started cannot be killed; its device may not be free.", record["pid"])


def said(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"ended with status {status}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else str(-status)
    return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
