"""Which pieces make a vocabulary: all that the text shows, the frequent ones, or a given list."""

from __future__ import annotations

import hashlib
import logging
import unicodedata
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from s2s_lit.errors import UserError
from s2s_lit.text.vocabulary import SPECIALS, Vocabulary

log = logging.getLogger(__name__)


class PieceCounts(Counter[str]):
    """How often each piece was seen, in bounded memory.

    When more than `capacity` pieces are known, the half that was seen least is forgotten. A piece that comes again is
    then counted from zero, so that its count may be too low by as much as was forgotten, never too high (as in the
    lossy counting of Manku and Motwani 2002).

    Args:
        capacity: Most pieces known at a time.
    """

    def __init__(self, *, capacity: int = 2_000_000) -> None:
        super().__init__()
        self.capacity = capacity

    def count(self, pieces: Sequence[str]) -> None:
        """Counts the pieces of one text."""
        self.update(pieces)
        if len(self) > self.capacity:
            self._forget()

    def _forget(self) -> None:
        kept = _by_frequency(self)[: self.capacity // 2]
        log.warning("More than %d different pieces: those seen %d times or less are forgotten.",
                    self.capacity, self[kept[-1]])  # fmt: skip
        for piece in self.keys() - set(kept):
            del self[piece]


class VocabularyRule(ABC):
    """Turns the counts of a text's pieces into a vocabulary.

    A rule keeps each argument of its constructor in an attribute: they and `version()` are part of the key under which
    built codecs are cached.
    """

    @abstractmethod
    def choose(self, counts: PieceCounts) -> Vocabulary:
        """The vocabulary for a text with these counts."""

    def version(self) -> str:
        """Changes when the same arguments and the same text would give another vocabulary."""
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sorted(vars(self).items())})"


class DynamicVocabulary(VocabularyRule):
    """Every piece that the training stream shows, the most frequent first, as far as there is room.

    Args:
        max_size: Most pieces of the vocabulary, the four specials counted; the rarest are left out. null: no bound.
    """

    def __init__(self, *, max_size: int | None = 50_000) -> None:
        if max_size is not None and max_size <= len(SPECIALS):
            raise UserError(f"data.codec.vocabulary.max_size must be above {len(SPECIALS)}, not {max_size}")
        self.max_size = max_size

    def choose(self, counts: PieceCounts) -> Vocabulary:
        pieces = _by_frequency(counts)
        return Vocabulary([*SPECIALS, *pieces][: self.max_size])


class SparseVocabulary(VocabularyRule):
    """The frequent pieces of the training text; each rare one is UNK.

    Asked for more pieces than there are, it takes what there is and says so.

    Args:
        min_count: Fewest occurrences of a piece that is kept.
        top_k: How many of the most frequent ones are kept, the specials not counted. null: all of them.
    """

    def __init__(self, *, min_count: int = 2, top_k: int | None = None) -> None:
        if min_count < 1 or (top_k is not None and top_k < 1):
            raise UserError("data.codec.vocabulary: min_count and top_k must be at least 1")
        self.min_count = min_count
        self.top_k = top_k

    def choose(self, counts: PieceCounts) -> Vocabulary:
        """The frequent pieces.

        Raises:
            UserError: none is frequent enough.
        """
        pieces = [piece for piece in _by_frequency(counts) if counts[piece] >= self.min_count]
        if not pieces:
            raise UserError(
                f"data.codec.vocabulary.min_count: no piece of the training text stands there {self.min_count} times "
                f"(the most frequent one {max(counts.values(), default=0)} times): lower it"
            )
        if self.top_k is not None and self.top_k > len(pieces):
            log.warning(
                "data.codec.vocabulary.top_k: %d pieces are more than the text has %d times or more often; the "
                "vocabulary has %d.", self.top_k, self.min_count, len(pieces),
            )  # fmt: skip
        return Vocabulary([*SPECIALS, *pieces[: self.top_k]])


class FixedVocabulary(VocabularyRule):
    """A given list, whatever the text.

    The file is UTF-8. It has one piece a line, in the order of their ids, or lines of `piece TAB count`, which are put
    in the order of their counts. Blank lines and the four specials are passed over, so `vocabulary/source.txt` of an
    earlier run is such a list.

    Args:
        path: The file.
    """

    def __init__(self, *, path: Path) -> None:
        self.path = Path(path).expanduser()

    def choose(self, counts: PieceCounts) -> Vocabulary:
        """The list, as a vocabulary.

        Raises:
            UserError: there is no such file, it is not UTF-8, has no piece, one twice, or a count that is no number.
        """
        lines = self._read().decode("utf-8-sig", errors="surrogateescape").split("\n")
        lines_of: dict[str, int] = {}
        given: dict[str, int] = {}
        for number, line in enumerate(lines, 1):
            piece, count = self._entry(line.rstrip("\r"), number)
            if not piece or piece in SPECIALS:
                continue
            if piece in lines_of:
                raise UserError(f"{self.path}:{number}: {piece!r} stands in line {lines_of[piece]} already")
            lines_of[piece], given[piece] = number, count
        if not given:
            raise UserError(f"{self.path} has no piece (data.codec.vocabulary.path)")
        return Vocabulary([*SPECIALS, *sorted(given, key=lambda piece: (-given[piece], lines_of[piece]))])

    def _entry(self, line: str, number: int) -> tuple[str, int]:
        """The piece of a line and its count, 0 where none is given."""
        if any("\udc80" <= character <= "\udcff" for character in line):
            raise UserError(f"{self.path}:{number}: this is not UTF-8; convert the file (iconv -t utf-8)")
        piece, tab, count = unicodedata.normalize("NFC", line).partition("\t")
        if tab and not count.strip().isdecimal():
            raise UserError(f"{self.path}:{number}: behind the tab stands a count, not {count.strip()!r}")
        return piece.strip(), int(count) if tab else 0

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise UserError(
                f"The list {self.path} cannot be read (data.codec.vocabulary.path): {error.strerror}"
            ) from error

    def version(self) -> str:
        return hashlib.sha256(self._read()).hexdigest()


def _by_frequency(counts: Mapping[str, int]) -> list[str]:
    """The pieces, the most frequent first, ties by code point; without the specials."""
    pieces = sorted((-count, piece) for piece, count in counts.items())
    return [piece for _, piece in pieces if piece not in SPECIALS]
