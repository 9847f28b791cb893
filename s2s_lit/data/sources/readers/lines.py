"""Lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from s2s_lit.data.sources.rows import INVALID_UTF8, LONGEST, NUL, TOO_LONG, Malformed

_ENDLESS = 64 * LONGEST


def lines_of(file: BinaryIO, *read: bytes) -> Iterator[str | Malformed]:
    """The lines of UTF-8 text without their ends; only a line feed ends one. A byte order mark is left out.

    A line of more than `LONGEST` bytes is malformed, and never held in memory.

    Args:
        file: Where the lines are read.
        read: Lines that were read from it before, each up to `LONGEST` + 1 bytes.

    Raises:
        ValueError: a line does not end within 64 MB; what is read is no text, or never ends.
    """
    first = True
    rest = iter(lambda: file.readline(LONGEST + 1), b"")
    for line in chain(filter(None, read), rest):
        if not line.endswith(b"\n") and len(line) > LONGEST:
            _skip_line(file)
            yield TOO_LONG
        else:
            yield text_of(line.removeprefix(b"\xef\xbb\xbf") if first else line)
        first = False


def text_of(line: bytes) -> str | Malformed:
    """A line without its end."""
    if b"\0" in line:
        return NUL
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return INVALID_UTF8


def _skip_line(file: BinaryIO) -> None:
    skipped = 0
    while (rest := file.readline(LONGEST)) and not rest.endswith(b"\n"):
        skipped += len(rest)
        if skipped > _ENDLESS:
            raise ValueError(f"a line has more than {_ENDLESS:,} bytes: is this text?")
