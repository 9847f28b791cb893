"""Files of checkpoints: written whole or not at all, with a checksum that is compared when they are read.

A file is what `torch.save` writes, a ZIP archive; the archive's comment is the SHA-256 of all that stands before it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from pathlib import Path
from typing import Any

import torch

from s2s_lit.errors import UserError

_MARK = b"sha256 "
_LENGTH = len(_MARK) + 64
_ARCHIVE_END = b"PK\5\6"
_ARCHIVE_END_LENGTH = 22  # of an archive without a comment


class NotSavedError(OSError):
    """A checkpoint that could not be written: a folder that may not be written, a full disk."""


def save_checkpoint(content: dict[str, Any], path: Path) -> None:
    """Writes a checkpoint beside its place and puts it there; a crash of the machine does not undo that.

    Raises:
        NotSavedError: The folder cannot be written, the disk is full. The file that stood there before stays.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with buffer.getbuffer() as archive:
        archive[-2:] = _LENGTH.to_bytes(2, "little")  # how long the comment is
        checksum = _MARK + hashlib.sha256(archive).hexdigest().encode()
        fresh = _fresh(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("wb") as file:
                file.write(archive)
                file.write(checksum)
            replace(fresh, path)
        except OSError as error:
            with contextlib.suppress(OSError):  # of a disk that takes nothing more
                fresh.unlink(missing_ok=True)
            raise NotSavedError(error.errno, error.strerror, str(path)) from error


def load_checkpoint(path: Path, *, mmap: bool = False) -> dict[str, Any]:
    """What a checkpoint holds, on the CPU; tensors, numbers and texts alone, no code.

    Args:
        path: The file.
        mmap: Tensors stay in the file until they are used.

    Raises:
        UserError: The file is damaged, cannot be read, or is no checkpoint.
    """
    try:
        intact = _is_intact(path)
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap) if intact else {}
        content.keys()
    except Exception as error:  # a file of something else raises whatever it makes the reader do
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path} is not a readable checkpoint of s2s_lit ({reason})") from error
    if not intact:
        raise UserError(
            f"{path} is not a readable checkpoint of s2s_lit: it is damaged, or was none ever (its checksum does not "
            "fit). Put a copy of it in its place, or take another run"
        )
    return content


def remove_checkpoint(path: Path) -> None:
    """Removes a checkpoint if there is one, and what a kill has left of writing it."""
    path.unlink(missing_ok=True)
    _fresh(path).unlink(missing_ok=True)


def replace(fresh: Path, path: Path) -> None:
    """Puts a file in the place of another, which a crash of the machine does not undo either."""
    for place in (fresh, fresh.parent):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if place == fresh:
            os.replace(fresh, path)


def _fresh(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _is_intact(path: Path) -> bool:
    """Whether a file is as it was saved; one without a checksum, of an earlier version or another program, is taken."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _ARCHIVE_END_LENGTH))
        if file.read().startswith(_ARCHIVE_END):
            return True
        digest, left = hashlib.sha256(), max(0, size - _LENGTH)
        file.seek(0)
        while left and (block := file.read(min(left, 2**20))):
            digest.update(block)
            left -= len(block)
        return file.read() == _MARK + digest.hexdigest().encode()
