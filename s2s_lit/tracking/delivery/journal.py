"""A queue of entries that lies in a file: what was put survives the process, and what has arrived is not sent again."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from s2s_lit.tracking.delivery.entries import Entry, Value, decode, encode

log = logging.getLogger(__name__)

_DIGITS = 20
_CHUNK = 1 << 18
_ROOM = 1 << 20  # bytes of delivered lines that are kept before the file is cut

_mine: set[Path] = set()  # files that this process holds open: its own locks would not stop it


class Journal:
    """Entries of one run, in order: `append` at the end, `read` from the front, `advance` past what has arrived.

    What cannot arrive now and need not hold up the others is `set_aside`, and read with `aside=True` from then on. To a
    later process the file still begins with the first of these; what followed and has arrived is then sent again.

    The file's first line says how far it was delivered, to which store, and for which run; each further line is an
    entry. A line is written by one call of the system and at once, so the death of the process loses none (that of the
    machine may lose the last seconds: nothing is synced). A last line that was torn off is ignored. Where the disk
    takes nothing, entries wait in memory; once they have arrived, the file is tried again.

    While a process has it open the file is locked, and the system unlocks what a dead process left.
    """

    def __init__(self, file: Path, uri: str, run_id: str) -> None:
        self.file, self.uri, self.run_id = file, uri, run_id
        self._lock = threading.Lock()
        self._memory: deque[bytes] = deque()
        self._fd: int | None = None
        self._start = self._sent = self._size = 0  # places in the file: of the first entry, the next to send, the end
        self._in_file = 0  # entries that wait there
        self._aside: deque[tuple[int, int]] = deque()  # of what was set aside: place in the file, length
        self._said = False

    @classmethod
    def create(cls, folder: Path, uri: str, run_id: str) -> Journal:
        """A new one in `folder`; on a disk that takes nothing, one in memory alone."""
        file = (folder / f"spool-{time.time_ns()}-{os.getpid()}.jsonl").absolute()
        journal = cls(file, uri, run_id)
        head = json.dumps([uri, run_id]).encode() + b"\n"
        journal._start = journal._sent = journal._size = _DIGITS + 1 + len(head)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            journal._fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            fcntl.lockf(journal._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write(journal._fd, b"%0*d %s" % (_DIGITS, journal._start, head), 0)
        except OSError as error:
            journal._without_file(error)
        _mine.add(file)
        return journal

    @classmethod
    def reopen(cls, file: Path) -> Journal | None:
        """One that a process has left behind; None while that process lives, when there is nothing in it, or when it
        is another user's."""
        file = file.absolute()
        if file in _mine:
            return None
        try:
            fd = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        except (FileNotFoundError, PermissionError):  # another command was quicker, or it is its owner's to send
            return None
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            head = os.pread(fd, _CHUNK, 0).partition(b"\n")[0]
            uri, run_id = json.loads(head[_DIGITS + 1 :])
            journal = cls(file, uri, run_id)
            journal._fd, journal._start = fd, len(head) + 1
            journal._sent = int(head[:_DIGITS])
            journal._count()
        except (BlockingIOError, PermissionError):
            os.close(fd)
            return None
        except ValueError:  # killed before the first line was whole, so there is no entry
            file.unlink(missing_ok=True)
            os.close(fd)
            return None
        _mine.add(file)
        return journal

    def _count(self) -> None:
        """Finds the end of the last whole line and how many wait before it."""
        place, self._size = self._sent, self._sent
        while chunk := os.pread(self._handle, _CHUNK, place):
            self._in_file += chunk.count(b"\n")
            if b"\n" in chunk:
                self._size = place + chunk.rindex(b"\n") + 1
            place += len(chunk)

    def __len__(self) -> int:
        """Entries that have not arrived."""
        return len(self._aside) + self._in_file + len(self._memory)

    @property
    def has_aside(self) -> bool:
        """Whether some were set aside."""
        return bool(self._aside)

    @property
    def in_memory(self) -> int:
        """How many of them end with the process."""
        return len(self._memory)

    def append(self, entries: Sequence[Entry]) -> None:
        """Adds entries; never fails because of the disk."""
        lines = [encode(entry) for entry in entries]
        with self._lock:
            if self._fd is not None and not self._memory:
                try:
                    self._size += _write(self._fd, b"".join(lines), self._size)
                    self._in_file += len(lines)
                    return
                except OSError as error:
                    self._say(error)
            self._memory.extend(lines)

    def read(self, limit: int, *, aside: bool = False) -> list[Entry]:
        """The next entries, without taking them: values that stand together, at most `limit`, or one other entry.

        Args:
            limit: At least 1.
            aside: The first that was set aside, instead.
        """
        with self._lock:
            self._read: list[tuple[Entry, int]] = []
            self._read_aside = aside
            for line in self._next_lines(limit, aside):
                entry = decode(line)
                if self._read and not (isinstance(entry, Value) and isinstance(self._read[0][0], Value)):
                    break
                self._read.append((entry, len(line)))
            return [entry for entry, _ in self._read]

    def _next_lines(self, limit: int, aside: bool) -> list[bytes]:
        if aside:
            return [os.pread(self._handle, length, place) for place, length in itertools.islice(self._aside, 1)]
        if self._in_file:
            return self._lines(limit)
        return list(itertools.islice(self._memory, limit))

    def _lines(self, limit: int) -> list[bytes]:
        """Whole lines from the front of the file, `limit` or as many as a chunk holds."""
        length = _CHUNK
        while b"\n" not in (chunk := os.pread(self._handle, min(length, self._size - self._sent), self._sent)):
            length *= 2
        return chunk[: chunk.rindex(b"\n") + 1].splitlines(keepends=True)[:limit]

    def advance(self) -> None:
        """What was read last has arrived."""
        with self._lock:
            if self._read_aside:
                self._aside.popleft()
            elif not self._in_file:
                for _ in self._read:
                    self._memory.popleft()
                return
            else:
                self._pass()
            if not self._aside and self._sent == self._size > self._start + _ROOM:
                os.ftruncate(self._handle, self._start)
                self._sent = self._size = self._start
            with contextlib.suppress(OSError):  # then some is sent again one day, which changes nothing
                place = self._aside[0][0] if self._aside else self._sent
                os.pwrite(self._handle, b"%0*d" % (_DIGITS, place), 0)

    def set_aside(self) -> bool:
        """The one entry that was read last lets those behind it pass; False for one in memory, which does not."""
        with self._lock:
            if not self._in_file:
                return False
            self._aside.append((self._sent, self._read[0][1]))
            self._pass()
            return True

    def _pass(self) -> None:
        self._in_file -= len(self._read)
        self._sent += sum(length for _, length in self._read)

    def close(self) -> None:
        """Unlocks the file, and removes it when all has arrived (the run's folder too, if nothing else is in it)."""
        with self._lock:
            if self._fd is None:
                return
            if not len(self):
                self.file.unlink(missing_ok=True)
                with contextlib.suppress(OSError):
                    self.file.parent.rmdir()
            os.close(self._fd)
            self._fd = None
            _mine.discard(self.file)

    @property
    def _handle(self) -> int:
        if self._fd is None:
            raise RuntimeError(f"{self.file} is closed")
        return self._fd

    def _without_file(self, error: OSError) -> None:
        if self._fd is not None:
            self.file.unlink(missing_ok=True)
            os.close(self._fd)
        self._fd = None
        self._say(error)

    def _say(self, error: OSError) -> None:
        if not self._said:
            log.warning("What is logged waits in memory, for %s cannot be written: %s", self.file, error.strerror)
        self._said = True


def _write(fd: int, content: bytes, place: int) -> int:
    """Writes all or nothing; the bytes written.

    Raises:
        OSError: the disk has no room.
    """
    written = 0
    try:
        while written < len(content):
            written += os.pwrite(fd, content[written:], place + written)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(fd, place)
        raise
    return written
