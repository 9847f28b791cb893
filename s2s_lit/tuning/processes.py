"""How a process is recognized: by machine, number and start, as numbers are given again."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import Any

import psutil

_SAME_START_S = 5.0  # the clock may be set while a process runs


def host() -> str:
    """This machine since it was started, and within which container."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):  # only Linux has these
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8])
        parts.append(os.readlink("/proc/self/ns/pid"))
    return "/".join(parts)


def identity(pid: int | None = None) -> dict[str, Any]:
    """What identifies a process: this one, or a child."""
    process = psutil.Process(pid)
    return {"host": host(), "pid": process.pid, "started": round(process.create_time(), 2)}


def process_alive(record: dict[str, Any]) -> bool:
    """Whether the process of this machine that a record identifies still runs."""
    try:
        process = psutil.Process(int(record["pid"]))
        same = abs(process.create_time() - float(record["started"])) < _SAME_START_S
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
