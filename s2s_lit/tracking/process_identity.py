"""How a process is recognized: by machine, container, number and start, as numbers and host names are given again."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

_SAME_START_S = 5.0  # the clock may be set while a process runs


def place() -> dict[str, str]:
    """Where this process runs: `host` and `machine` name the machine, `boot` changes each time that it is started,
    `space` is the container, within which alone a process's number means something."""
    found = {"host": socket.gethostname(), "machine": "", "boot": "", "space": ""}
    with contextlib.suppress(OSError):  # only Linux has these, and not every container has the last
        found["boot"] = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        found["space"] = os.readlink("/proc/self/ns/pid")
        found["machine"] = Path("/etc/machine-id").read_text().strip()
    return found


def identity(pid: int | None = None) -> dict[str, Any]:
    """What identifies a process: this one, or a child."""
    process = psutil.Process(pid)
    return {**place(), "pid": process.pid, "started": round(process.create_time(), 2)}


def process_tags() -> dict[str, str]:
    """The same of this process as a run's tags, by which a later command finds out whether it still runs."""
    return {f"s2s.{key}": str(value) for key, value in identity().items()}


def process_alive(record: Mapping[str, Any]) -> bool | None:
    """Whether the process that a record identifies still runs; None where that cannot be seen from here.

    Of another machine or container nothing is seen. What ran before this machine was started again is dead. What a
    record does not say counts as said of here.
    """
    here = place()
    record = {**here, **record}
    if any(record[key] != here[key] for key in ("host", "machine")):
        return None
    if record["boot"] != here["boot"]:  # of two machines with one name and one image, each boots another time
        return False if here["machine"] and float(record["started"]) < psutil.boot_time() else None
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
