"""JSON: an object a line, or a document with an array of objects."""

from __future__ import annotations

import codecs
import json
from collections import deque
from collections.abc import Iterator
from typing import Any, BinaryIO

from s2s_lit.data.sources.readers.lines import lines_of
from s2s_lit.data.sources.rows import INVALID_JSON, LONGEST, Columns, Malformed, Row

_CHUNK = 1 << 16  # bytes
_BOM = b"\xef\xbb\xbf"


def json_lines(file: BinaryIO, asked: Columns = None) -> Iterator[Row | Malformed]:
    """One JSON object a line, of which a broken one costs itself alone; or one array of objects.

    Raises:
        ValueError: an array is not valid JSON to its end.
    """
    head = _head(file)
    return _document(head, file) if head.startswith(b"[") else _objects(head, file)


def json_file(file: BinaryIO, asked: Columns = None) -> Iterator[Row | Malformed]:
    """As `json_lines`, or an object that has an array of objects under one of its keys: {"data": [{...}, ...]}.

    Raises:
        ValueError: a document is not valid JSON to its end, or has no array of objects, or several.
    """
    head = _head(file)
    if head.startswith(b"[") or _goes_on(head):
        yield from _document(head, file)
        return
    following = _head(file) if head.endswith(b"\n") else b""
    if not following and _has_rows(head):
        yield from _document(head, file)
        return
    yield from _objects(head, file, following)


def _head(file: BinaryIO) -> bytes:
    """The next line that is not blank, or as much of it as a row may have; empty at the end."""
    while (line := file.readline(LONGEST + 1).removeprefix(_BOM)) and line.isspace():
        pass
    return line


def _objects(head: bytes, file: BinaryIO, following: bytes = b"") -> Iterator[Row | Malformed]:
    for line in lines_of(file, head, following):
        if isinstance(line, Malformed):
            yield line
        elif line and not line.isspace():
            value = _loaded(line)
            yield value if isinstance(value, dict) else INVALID_JSON


def _loaded(line: str | bytes) -> Any:
    """The line's value, None if it has none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _goes_on(line: bytes) -> bool:
    """Whether an object begins that ends in another line: lines of one document break between two tokens."""
    text = line.decode(errors="replace").rstrip()
    if not text.startswith("{"):
        return False
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text) or len(line) > LONGEST
    except RecursionError:
        pass
    return False


def _has_rows(line: bytes) -> bool:
    value = _loaded(line)
    arrays = value.values() if isinstance(value, dict) else ()
    return any(isinstance(each, list) and each and isinstance(each[0], dict) for each in arrays)


def _document(head: bytes, file: BinaryIO) -> Iterator[Row | Malformed]:
    text = _Scanner(head, file)
    if text.peek() == "[":
        text.take("[")
        yield from _elements(text)
    else:
        yield from _only_array(text)
    if text.peek():
        raise ValueError("it is not valid JSON: something stands behind its end")


def _only_array(text: _Scanner) -> Iterator[Row | Malformed]:
    """The elements of the one array of objects that an object has."""
    text.take("{")
    arrays = 0
    while True:
        text.value()
        text.take(":")
        if text.peek() != "[":
            text.value()
        else:
            text.take("[")
            if text.peek() == "{":
                arrays += 1
                if arrays > 1:
                    raise ValueError("it has several arrays of objects, and which of them are the rows is not said")
                yield from _elements(text)
            else:
                deque(_elements(text), maxlen=0)
        if text.peek() != ",":
            break
        text.take(",")
    text.take("}")
    if not arrays:
        raise ValueError("it has no array of objects; rows are objects, one a line or in one array")


def _elements(text: _Scanner) -> Iterator[Row | Malformed]:
    """The elements of an array whose bracket was taken."""
    while text.peek() != "]":
        value = text.value()
        yield value if isinstance(value, dict) else INVALID_JSON
        if text.peek() != ",":
            break
        text.take(",")
    text.take("]")


class _Scanner:
    """Reads JSON in pieces, value by value; of what was read it holds one value and a piece."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._values = json.JSONDecoder()
        self._text = self._decode(head)
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            rest = self._text[self._at :].lstrip() if self._at < len(self._text) else ""
            if rest or self._ended:
                self._at = len(self._text) - len(rest)
                return rest[:1]
            self._fill()

    def take(self, character: str) -> None:
        if self.peek() != character:
            raise ValueError(f"it is not valid JSON: {character!r} is missing before {self._text[self._at :][:20]!r}")
        self._at += 1

    def value(self) -> Any:
        """The next value, whole."""
        self.peek()
        while True:
            try:
                value, end = self._values.raw_decode(self._text, self._at)
            except RecursionError:
                raise ValueError("it is nested too deep") from None
            except json.JSONDecodeError as error:
                if self._ended:
                    raise ValueError(f"it is not valid JSON: {error.msg}, {error.doc[error.pos :][:20]!r}") from None
            else:
                if end < len(self._text) or self._ended:  # a number may go on
                    self._at = end
                    return value
            if len(self._text) - self._at > LONGEST:
                raise ValueError(f"it is not valid JSON, or one value has more than {LONGEST:,} characters")
            self._fill()

    def _fill(self) -> None:
        piece = self._file.read(_CHUNK)
        self._ended = not piece
        self._text = self._text[self._at :] + self._decode(piece, final=self._ended)
        self._at = 0
