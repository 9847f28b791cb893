"""Which tokens make a vocabulary: all that the text shows, the frequent ones, or a given list."""

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


class TokenCounts(Counter[str]):
    """How often each token was seen, in bounded memory.

    When more than `capacity` tokens are known, the half that was seen least is forgotten. A token that comes again is
    then counted from zero, so that its count may be too low by as much as was forgotten, never too high (as in the
    lossy counting of Manku and Motwani 2002).

    Args:
        capacity: Most tokens known at a time.
    """

    def __init__(self, *, capacity: int = 2_000_000) -> None:
        super().__init__()
        self.capacity = capacity

    def count(self, tokens: Sequence[str]) -> None:
        """Counts the tokens of one text."""
        self.update(tokens)
        if len(self) > self.capacity:
            self._forget()

    def _forget(self) -> None:
        kept = _by_frequency(self)[: self.capacity // 2]
        log.warning("More than %d different tokens: those seen %d times or less are forgotten.",
                    self.capacity, self[kept[-1]])  # fmt: skip
        for token in self.keys() - set(kept):
            del self[token]


class VocabularyRule(ABC):
    """Turns the counts of a text's tokens into a vocabulary.

    A rule keeps each argument of its constructor in an attribute: they and `version()` are part of the key under which
    built tokenizers are cached.
    """

    @abstractmethod
    def choose(self, counts: TokenCounts) -> Vocabulary:
        """The vocabulary for a text with these counts."""

    def version(self) -> str:
        """Changes when the same arguments and the same text would give another vocabulary."""
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sorted(vars(self).items())})"


class DynamicVocabulary(VocabularyRule):
    """Every token that the training stream shows, the most frequent first, as far as there is room.

    Args:
        max_size: Most tokens of the vocabulary, the four specials counted; the rarest are left out. null: no bound.
    """

    def __init__(self, *, max_size: int | None = 50_000) -> None:
        if max_size is not None and max_size <= len(SPECIALS):
            raise UserError(f"data.tokenizer.vocabulary.max_size must be above {len(SPECIALS)}, not {max_size}")
        self.max_size = max_size

    def choose(self, counts: TokenCounts) -> Vocabulary:
        tokens = _by_frequency(counts)
        return Vocabulary([*SPECIALS, *tokens][: self.max_size])


class SparseVocabulary(VocabularyRule):
    """The frequent tokens of the training text; each rare one is UNK.

    Asked for more tokens than there are, it takes what there is and says so.

    Args:
        min_count: Fewest occurrences of a token that is kept.
        top_k: How many of the most frequent ones are kept, the specials not counted. null: all of them.
    """

    def __init__(self, *, min_count: int = 2, top_k: int | None = None) -> None:
        if min_count < 1 or (top_k is not None and top_k < 1):
            raise UserError("data.tokenizer.vocabulary: min_count and top_k must be at least 1")
        self.min_count = min_count
        self.top_k = top_k

    def choose(self, counts: TokenCounts) -> Vocabulary:
        """The frequent tokens.

        Raises:
            UserError: none is frequent enough.
        """
        tokens = [token for token in _by_frequency(counts) if counts[token] >= self.min_count]
        if not tokens:
            raise UserError(
                f"data.tokenizer.vocabulary.min_count: no token is in the training text {self.min_count} times "
                f"(the most frequent one {max(counts.values(), default=0)} times): lower it"
            )
        if self.top_k is not None and self.top_k > len(tokens):
            log.warning(
                "data.tokenizer.vocabulary.top_k: %d tokens are more than the text has %d times or more often; the "
                "vocabulary has %d.", self.top_k, self.min_count, len(tokens),
            )  # fmt: skip
        return Vocabulary([*SPECIALS, *tokens[: self.top_k]])


class FixedVocabulary(VocabularyRule):
    """A given list, whatever the text.

    The file is UTF-8. It has one token a line, in the order of their ids, or lines of `token TAB count`, which are put
    in the order of their counts. Blank lines and the four specials are passed over, so `vocabulary/source.txt` of an
    earlier run is such a list.

    Args:
        path: The file.
    """

    def __init__(self, *, path: Path) -> None:
        self.path = Path(path).expanduser()

    def choose(self, counts: TokenCounts) -> Vocabulary:
        """The list, as a vocabulary.

        Raises:
            UserError: there is no such file, it is not UTF-8, has no token, one twice, or a count that is no number.
        """
        lines = self._read().decode("utf-8-sig", errors="surrogateescape").split("\n")
        lines_of: dict[str, int] = {}
        given: dict[str, int] = {}
        for number, line in enumerate(lines, 1):
            token, count = self._entry(line.rstrip("\r"), number)
            if not token or token in SPECIALS:
                continue
            if token in lines_of:
                raise UserError(f"{self.path}:{number}: {token!r} stands in line {lines_of[token]} already")
            lines_of[token], given[token] = number, count
        if not given:
            raise UserError(f"{self.path} has no token (data.tokenizer.vocabulary.path)")
        return Vocabulary([*SPECIALS, *sorted(given, key=lambda token: (-given[token], lines_of[token]))])

    def _entry(self, line: str, number: int) -> tuple[str, int]:
        """The token of a line and its count, 0 where none is given."""
        if any("\udc80" <= character <= "\udcff" for character in line):
            raise UserError(f"{self.path}:{number}: this is not UTF-8; convert the file (iconv -t utf-8)")
        token, tab, count = unicodedata.normalize("NFC", line).partition("\t")
        if tab and not count.strip().isdecimal():
            raise UserError(f"{self.path}:{number}: behind the tab stands a count, not {count.strip()!r}")
        return token.strip(), int(count) if tab else 0

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise UserError(
                f"The list {self.path} cannot be read (data.tokenizer.vocabulary.path): {error.strerror}"
            ) from error

    def version(self) -> str:
        return hashlib.sha256(self._read()).hexdigest()


def _by_frequency(counts: Mapping[str, int]) -> list[str]:
    """The tokens, the most frequent first, ties by code point; without the specials."""
    tokens = sorted((-count, token) for token, count in counts.items())
    return [token for _, token in tokens if token not in SPECIALS]
