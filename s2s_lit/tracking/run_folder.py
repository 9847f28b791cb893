"""A run's folder on this machine: where it lies, and which process works in it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
from datetime import datetime
from pathlib import Path

from s2s_lit.checks import single_name
from s2s_lit.errors import UserError
from s2s_lit.tracking.process_identity import identity

log = logging.getLogger(__name__)

SAVE_DIR = Path("runs")
"""The folder of all runs' local files."""

_OWNER = "owner.json"

_held: dict[Path, int] = {}  # the folders that this process has claimed, and the file that it locked in each
os.register_at_fork(after_in_child=_held.clear)  # a child has none of its parent's locks


def run_folder(experiment: str, run_id: str | None, save_dir: Path = SAVE_DIR) -> Path:
    """A run's own folder, `save_dir/experiment/run_id`; a strange store cannot place it elsewhere."""
    return save_dir / single_name("experiment", experiment) / single_name("run id", str(run_id))


def claim(folder: Path) -> None:
    """Locks a run's folder for this process, until `release` or until the process dies, when the system unlocks it.

    A second call by the same process changes nothing. Where the file system cannot lock, this is warned of.

    Raises:
        UserError: another process has locked it; says which.
    """
    folder = folder.absolute()
    if folder in _held:
        return
    try:
        handle = _locked(folder / _OWNER)
    except OSError as error:
        log.warning("%s cannot be locked: whoever resumes this run meanwhile is not refused (%s)", folder, error)
        return
    _held[folder] = handle
    owner = {**identity(), "since": f"{datetime.now():%Y-%m-%d %H:%M:%S}"}
    with contextlib.suppress(OSError):  # of a full disk
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(owner).encode(), 0)


def require_unclaimed(folder: Path) -> None:
    """Raises the same UserError if another process has locked the folder, and locks nothing."""
    if (folder / _OWNER).exists() and folder.absolute() not in _held:
        claim(folder)
        release(folder)


def release(folder: Path) -> None:
    """Unlocks a folder that this process has claimed, and removes it if nothing is left in it."""
    handle = _held.pop(folder.absolute(), None)
    if handle is None:
        return
    with contextlib.suppress(OSError):
        (folder / _OWNER).unlink()
        folder.rmdir()
    os.close(handle)


def _locked(file: Path) -> int:
    """The open file, locked. One that its owner removed before it was locked here is no lock: it is opened again."""
    while True:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            said = os.pread(handle, 10_000, 0)
            os.close(handle)
            raise UserError(_refusal(file.parent, said)) from None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), file.stat()):
                return handle
        os.close(handle)


def _refusal(folder: Path, said: bytes) -> str:
    who, remedy = "another process", "stop it"
    with contextlib.suppress(ValueError, KeyError, TypeError):  # it has not yet written who it is
        owner = json.loads(said)
        who = f"process {owner['pid']} on {owner['host']} since {owner['since']}"
        remedy = f"stop it there: kill {owner['pid']}"
    return f"run {folder.name[:8]} is in the hands of {who}, which trains it or still delivers. Wait, or {remedy}"
