"""Opens files and URLs: unpacked, and text as UTF-8."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO, cast

from s2s_lit.data.sources.hub_file import SCHEME, HubFile
from s2s_lit.data.sources.places import bare, is_url, packing_of, shown
from s2s_lit.data.sources.readers.formats import ending_of
from s2s_lit.data.sources.remote import RemoteFile
from s2s_lit.errors import UserError

_BUFFER = 1 << 20
_SAMPLE = 1 << 16
_UNPACK: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
"""Byte order marks; that of UTF-32 comes first, for that of UTF-16 begins it."""

_OTHERS = {
    b"PK\x03\x04": "a zip archive or a spreadsheet: unpack it, or save it as CSV",
    b"\x1f\x8b": "packed with gzip: add .gz to its name",
    b"BZh9": "packed with bzip2: add .bz2 to its name",
    b"\xfd7zXZ": "packed with xz: add .xz to its name",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it (unzstd)",
    b"PAR1": "a parquet file: its name must end in .parquet",
    b"%PDF-": "a PDF: save its sentences as plain text",
    b"\xd0\xcf\x11\xe0": "a spreadsheet or a document: save it as CSV (UTF-8)",
}
"""How files begin that are no text."""


@contextmanager
def opened(place: str) -> Iterator[BinaryIO]:
    """The bytes of a local file or a URL, unpacked; a parquet file can be sought, other files are UTF-8 text.

    Args:
        place: The file's path, its URL or its address on the Hub (hf://).

    Raises:
        UserError: it is no text, or in an encoding that it does not tell.
    """
    with ExitStack() as stack:
        raw = _raw(place)
        file: Any = stack.enter_context(io.BufferedReader(raw, _BUFFER))
        packing = packing_of(place)
        if packing:
            file = io.BufferedReader(stack.enter_context(_UNPACK[packing](file)), _BUFFER)
        if ending_of(bare(place)) != "parquet":
            file = _as_utf8(file, place)
        elif packing or not raw.seekable():  # going back in a packed file starts it anew
            whole = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(file, whole)
            whole.seek(0)
            file = whole
        yield cast(BinaryIO, file)


def _raw(place: str) -> io.RawIOBase:
    if place.startswith(SCHEME):
        return HubFile(place)
    return RemoteFile(place) if is_url(place) else io.FileIO(place)


def _as_utf8(file: io.BufferedReader, place: str) -> io.BufferedReader:
    """The text of a file as UTF-8, whatever encoding its byte order mark tells."""
    sample = file.peek(_SAMPLE)[:_SAMPLE]
    for mark, encoding in _MARKS.items():
        if sample.startswith(mark):
            return io.BufferedReader(_Transcoded(file, encoding), _BUFFER)
    for beginning, kind in _OTHERS.items():
        if sample.startswith(beginning):
            raise UserError(f"{shown(place)} is {kind}")
    if encoding := _other_encoding(sample):
        raise UserError(
            f"{shown(place)} is not UTF-8 text, but looks like {encoding}. Convert it: iconv -f {encoding} -t UTF-8 "
            f"'{shown(bare(place))}' > converted, where the name behind -f is that of the encoding it really has"
        )
    return file


def _other_encoding(sample: bytes) -> str:
    """A guess at the encoding of text that is not UTF-8; empty for text that is, but for a line here and there."""
    if sample.count(0) > len(sample) // 8:  # of UTF-16 each second byte of Western text is zero
        return "UTF-16BE" if sample[::2].count(0) > sample[1::2].count(0) else "UTF-16LE"
    lines = sample.split(b"\n")[:-1] or [sample]
    foreign = [line for line in lines if not line.isascii()]
    wrong = sum(not _is_utf8(line) for line in foreign)
    return "WINDOWS-1252" if wrong == len(foreign) >= 3 and wrong > len(lines) // 10 else ""


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Transcoded(io.RawIOBase):
    """Text in an encoding as UTF-8; what is no text in it becomes bytes that are no UTF-8.

    Raises:
        ValueError: the file ends within a character.
    """

    def __init__(self, file: io.BufferedReader, encoding: str) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder(encoding)("surrogatepass").decode
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = b"more"
        while not self._rest and piece:
            piece = self._file.read(_SAMPLE)
            self._rest = self._decode(piece, final=not piece).encode("utf-8", "surrogatepass")
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
