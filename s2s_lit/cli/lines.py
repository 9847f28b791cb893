"""Lines of text that a verb reads and writes, block by block: what is done is on the disk or down the pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any

from tqdm import tqdm

from s2s_lit.errors import UserError

_AT_ONCE = 2**17  # bytes, some thousand lines


def blocks_of(file: Path | None) -> Iterator[list[str]]:
    """The lines of a file, or of standard input: in each list those that one read has completed.

    A file comes in blocks of some thousand lines; what comes through a pipe or from a terminal waits for no more of it.
    Lines end with `\\n` or `\\r\\n`, nothing else.

    Raises:
        UserError: a line is not UTF-8 text.
    """
    stream = nullcontext(sys.stdin.buffer) if file is None else file.open("rb")  # at once: it may not be there
    return _blocks(stream, name_of(file))


def _blocks(opened: AbstractContextManager[Any], name: str) -> Iterator[list[str]]:
    number, rest = 0, b""
    with opened as stream:
        while read := stream.read1(_AT_ONCE):
            *lines, rest = (rest + read).split(b"\n")
            if lines:
                yield [_decoded(line, at, name) for at, line in enumerate(lines, number + 1)]
                number += len(lines)
    if rest:
        yield [_decoded(rest, number + 1, name)]


def _decoded(line: bytes, number: int, name: str) -> str:
    try:
        return line.removesuffix(b"\r").decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"line {number} of {name} is not UTF-8 text: convert it (iconv -t utf-8)") from error


def name_of(file: Path | None) -> str:
    """What messages call a file that is read."""
    return "standard input" if file is None else str(file)


def require_utf8(text: str, name: str) -> str:
    """`text` itself; bytes that Python could not read on the command line are surrogates, which no tokenizer takes."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UserError(f"{name} is not UTF-8 text: convert it (iconv -t utf-8)")
    return text


def written(target: Path | None, *sources: Path | None) -> AbstractContextManager[IO[str]]:
    """A file to write, or standard output.

    Raises:
        UserError: it is one of the files that are still to be read.
    """
    if target is None:
        return nullcontext(sys.stdout)
    if target.exists() and any(source is not None and source.samefile(target) for source in sources):
        raise UserError(f"{target} is read, so it cannot be written: give --out another name")
    return target.open("w", encoding="utf-8")


def progress(what: str) -> tqdm[Any]:
    """A bar of the lines that are done, for those who watch."""
    return tqdm(desc=what, unit=" lines", leave=False, delay=2, disable=not sys.stderr.isatty())
