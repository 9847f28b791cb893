"""TMX, in which translators keep what they translated (Translation Memory eXchange 1.4b)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from s2s_lit.data.sources.rows import Columns, Malformed, Row

_MOST_BYTES = 64 << 20  # of one unit
_CODES = ("bpt", "ept", "ph", "it", "ut")  # elements that hold another program's markup, no text
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def tmx(file: BinaryIO, asked: Columns = None) -> Iterator[Row | Malformed]:
    """A row for each translation unit, with its texts by language: `en-US` and, where it is alone, also `en`.

    Units are read one by one, in bounded memory. A file that declares entities is refused: a few lines of them can
    stand for gigabytes.

    Raises:
        ValueError: the file is no XML, or declares entities.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml.ElementTree import iterparse

    limited = _Limited(file)
    depth: list[Any] = []
    try:
        for event, element in iterparse(limited, events=("start", "end"), forbid_entities=True, forbid_external=True):
            if event == "start":
                depth.append(element)
                continue
            depth.pop()
            if _name(element) == "tu":
                yield _row(element)
                limited.count = 0
                if depth:
                    depth[-1].clear()
    except ParseError as error:
        raise ValueError(f"it is no valid XML: {error}") from error


class _Limited:
    """A file that may not give more than `_MOST_BYTES` between two units."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.count = 0

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self.count += len(piece)
        if self.count > _MOST_BYTES:
            raise ValueError(f"no translation unit ends within {_MOST_BYTES:,} bytes")
        return piece


def _row(unit: Any) -> Row:
    texts: dict[str, str] = {}
    for variant in unit:
        language = variant.get(_LANGUAGE) or variant.get("lang")
        segment = next((child for child in variant if _name(child) == "seg"), None)
        if _name(variant) == "tuv" and language and segment is not None:
            texts.setdefault(language, _text(segment))
    short = [language.partition("-")[0] for language in texts]
    alone = {base: text for base, text in zip(short, texts.values(), strict=True) if short.count(base) == 1}
    return {**alone, **texts}


def _text(element: Any) -> str:
    """The text of a segment without the markup of the program that it came from."""
    inner = (
        ""
        if _name(element) in _CODES
        else (element.text or "") + "".join(_text(child) + (child.tail or "") for child in element)
    )
    return inner


def _name(element: Any) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]
