"""Which training examples are left out, and why.

Filters look at text, before it is encoded: what they keep does not depend on the vocabulary, so that networks with
different vocabularies learn from the same examples. Evaluation splits are never filtered, or the scores of two models
would be about different sentences.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Self

import regex

from s2s_lit.errors import UserError
from s2s_lit.types import TARGET

_WAYS = 8  # remembered pairs that share a bucket


class Filter(ABC):
    """Looks at the normalized texts of one example of the training split, by field."""

    remembers: ClassVar[bool] = False
    """Whether what it says of an example depends on those before it."""

    def begin(self) -> Self:
        """The filter for a new pass over the rows: itself, unless it remembers what it has seen."""
        return self

    @abstractmethod
    def reason(self, texts: Mapping[str, str]) -> str | None:
        """Why the example is dropped, as it is counted in the report; None keeps it."""


class WordCount(Filter):
    """Drops examples with a text of too few or too many words, counted between spaces.

    Args:
        least: Least words of a text.
        most: Most words of a text.
    """

    def __init__(self, *, least: int = 1, most: int = 80) -> None:
        if not 0 <= least <= most:
            raise UserError(f"WordCount needs 0 <= least <= most, not least={least}, most={most} (data.filters)")
        self.least = least
        self.most = most

    def reason(self, texts: Mapping[str, str]) -> str | None:
        for field, text in texts.items():
            words = len(text.split())
            if words < self.least:
                return f"{field}_too_few_words"
            if words > self.most:
                return f"{field}_too_many_words"
        return None


class LengthRatio(Filter):
    """Drops examples whose longest text has more than `most` times the characters of the shortest one.

    Short texts may differ by more: the rule is longest > most * (shortest + slack).

    Args:
        most: The largest ratio.
        slack: Characters that the shortest text is granted.
    """

    def __init__(self, *, most: float = 3.0, slack: int = 10) -> None:
        if most < 1 or slack < 0:
            raise UserError(f"LengthRatio needs most >= 1 and slack >= 0, not {most} and {slack} (data.filters)")
        self.most = most
        self.slack = slack

    def reason(self, texts: Mapping[str, str]) -> str | None:
        lengths = [len(text) for text in texts.values()]
        return "length_ratio" if max(lengths) > self.most * (min(lengths) + self.slack) else None


class CopiedSource(Filter):
    """Drops examples whose target is one of the inputs again, whatever the case (Khayrallah & Koehn 2018)."""

    def reason(self, texts: Mapping[str, str]) -> str | None:
        target = texts[TARGET].casefold()
        inputs = (text for field, text in texts.items() if field != TARGET)
        return "copied_source" if any(text.casefold() == target for text in inputs) else None


class Duplicates(Filter):
    """Drops texts that came before, remembered as 64-bit hashes in a table of fixed size: 8 bytes an entry.

    The table is an array of buckets of 8 entries; a full bucket forgets its oldest one. A repetition is missed if 8
    other texts have come to its bucket since: one in a thousand where `remember` / 4 different texts lie between, one
    in twenty where it is `remember` / 2. A text that is new is dropped with at most a chance of 8 / 2^64. Each pass
    starts with an empty table: the same rows in the same order lose the same ones, and whatever the order is, one of
    the equal texts stays. Of several processes that stream each remembers the rows that it reads itself.

    Args:
        by: The field whose text must not come twice; null: all texts of an example together.
        remember: Entries of the table; the default takes 32 MB.
    """

    remembers = True

    def __init__(self, *, by: str | None = None, remember: int = 4_000_000) -> None:
        if remember < 1:
            raise UserError(f"Duplicates needs remember >= 1, not {remember} (data.filters)")
        self.by = by
        self.remember = remember
        self._buckets = -(-remember // _WAYS)
        self._table = array("Q")

    def begin(self) -> Self:
        fresh = type(self)(by=self.by, remember=self.remember)
        fresh._table = array("Q", bytes(8 * _WAYS * fresh._buckets))
        return fresh

    def reason(self, texts: Mapping[str, str]) -> str | None:
        if not self._table:
            raise RuntimeError("begin() makes the filter that remembers")
        text = "\n".join(texts.values()) if self.by is None else text_of(texts, self.by, "Duplicates.by")
        digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
        entry = int.from_bytes(digest[:8])
        start = int.from_bytes(digest[8:]) % self._buckets * _WAYS
        bucket = self._table[start : start + _WAYS]
        if entry in bucket:
            return f"duplicate_{self.by or 'example'}"
        bucket.pop()
        bucket.insert(0, entry)
        self._table[start : start + _WAYS] = bucket
        return None


class WrongScript(Filter):
    """Drops examples with too few letters of the expected scripts in a text; digits and signs count nothing.

    Args:
        scripts: Unicode scripts by field, such as Latin, Cyrillic, Greek, Arabic, Han; Japanese has Han, Hiragana and
            Katakana. A field that is not named may have any.
        least: Least fraction of a text's letters.
    """

    def __init__(self, *, scripts: dict[str, list[str]], least: float = 0.5) -> None:
        if not 0 < least <= 1:
            raise UserError(f"WrongScript needs 0 < least <= 1, not {least} (data.filters)")
        self.least = least
        self._foreign = {field: _letters_outside(names) for field, names in scripts.items()}

    def reason(self, texts: Mapping[str, str]) -> str | None:
        for field, foreign in self._foreign.items():
            text = text_of(texts, field, "WrongScript.scripts")
            if not (outside := len(foreign.findall(text))):
                continue
            if outside > (1 - self.least) * len(_LETTER.findall(text)):
                return f"{field}_script"
        return None


_LETTER = regex.compile(r"\p{L}")


def text_of(texts: Mapping[str, str], field: str, setting: str) -> str:
    """The text of a field.

    Raises:
        UserError: There is no such field.
    """
    if field not in texts:
        raise UserError(f"{setting} (data.filters): no field is called {field!r}; there are: {', '.join(texts)}")
    return texts[field]


def _letters_outside(scripts: Sequence[str]) -> regex.Pattern[str]:
    """Matches a letter that belongs to none of the scripts; letters that all share (Common) belong to each."""
    try:
        inside = "".join(rf"\p{{Script={script}}}" for script in scripts)
        return regex.compile(rf"(?![{inside}\p{{Script=Common}}\p{{Script=Inherited}}])\p{{L}}")
    except regex.error as error:
        raise UserError(f"WrongScript: {', '.join(scripts)}: no such Unicode script (data.filters)") from error


class Passing:
    """One pass of examples through several filters.

    Args:
        filters: Asked in this order; the first that objects gives the reason.
    """

    def __init__(self, filters: Iterable[Filter]) -> None:
        self._filters = [each.begin() for each in filters]

    def reason(self, texts: Mapping[str, str]) -> str | None:
        """Why the example is dropped; None keeps it."""
        return next((r for each in self._filters if (r := each.reason(texts)) is not None), None)
