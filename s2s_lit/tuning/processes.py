"""How a process is recognized: by machine, number and start, as numbers are given again. What it starts, by a mark.

The mark stands in the environment, which children inherit: the processes of a training on several devices are heads of
groups of their own, and are nobody's children once their launcher is dead.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

MARK = "S2S_WORKER"
"""The variable of the environment."""

_SAME_START_S = 5.0  # the clock may be set while a process runs
_KILLED_S = 10.0  # a killed process may have memory to give back


def place() -> dict[str, str]:
    """Where this process runs: `host` and `machine` name the machine, `boot` changes each time that it is started,
    `space` is the container, within which alone a process's number means something."""
    found = {"host": socket.gethostname(), "machine": "", "boot": "", "space": ""}
    with contextlib.suppress(OSError):  # only Linux has these, and not every container has the first
        found["boot"] = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        found["space"] = os.readlink("/proc/self/ns/pid")
        found["machine"] = Path("/etc/machine-id").read_text().strip()
    return found


def identity(pid: int | None = None) -> dict[str, Any]:
    """What identifies a process: this one, or a child."""
    process = psutil.Process(pid)
    return {**place(), "pid": process.pid, "started": round(process.create_time(), 2)}


def process_alive(record: Mapping[str, Any]) -> bool | None:
    """Whether the process that a record identifies still runs; None where that cannot be seen from here.

    What ran before this machine was started again is dead. Of another machine or container nothing is seen.
    """
    here = place()
    if any(record.get(key) != here[key] for key in ("host", "machine")):
        return None
    if record["boot"] != here["boot"]:
        return False
    if record["space"] != here["space"]:
        return None
    try:
        process = psutil.Process(int(record["pid"]))
        same = abs(process.create_time() - float(record["started"])) < _SAME_START_S
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


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
