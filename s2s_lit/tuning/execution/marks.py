"""What a process starts is recognized by a mark.

The mark stands in the environment, which children inherit: the processes of a training on several devices are heads of
groups of their own, and are nobody's children once their launcher is dead.
"""

from __future__ import annotations

import contextlib
import time

import psutil

MARK = "S2S_WORKER"
"""The variable of the environment."""

_KILLED_S = 10.0  # a killed process may have memory to give back


def marked(mark: str) -> list[psutil.Process]:
    """The processes of this user and machine that bear a mark."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def end_marked(mark: str) -> bool:
    """Kills all that bear a mark, and what they start meanwhile; whether none is left, for the system may keep one."""
    deadline = time.monotonic() + _KILLED_S
    while left := marked(mark):
        if time.monotonic() > deadline:
            return False
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(0.05)  # psutil would wait better, but take a child's status from who started it
    return True
