"""Temporary folders that do not stay for ever when a process is killed."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "s2s_lit-"


@contextlib.contextmanager
def scratch_folder(place: Path | None = None) -> Iterator[Path]:
    """An empty folder in `place`, by default the system's temporary folder, which is removed after the body.

    It is locked while it is used. The next process that asks for one in the same place removes those whose lock is
    free: their processes were killed.
    """
    place = Path(tempfile.gettempdir()) if place is None else place
    _remove_abandoned(place)
    folder, handle = _locked_folder(place)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _locked_folder(place: Path) -> tuple[Path, int]:
    """A new folder and the handle that keeps it locked; one that another process removed before that is made again."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                free = True
            except OSError as error:  # without locks, as on some file systems, nobody removes it either
                free = not isinstance(error, BlockingIOError)
            if free and folder.exists():
                return folder, handle
            os.close(handle)


@functools.cache  # once in a process
def _remove_abandoned(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, or just removed
            handle = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)
