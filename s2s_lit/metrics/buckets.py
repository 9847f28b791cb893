"""Sentences in groups that say where systems differ: by the source's length, by its rarest word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex

_LENGTHS = (1, 6, 11, 16, 21, 31, 51)
_MARKS = regex.compile(r"[^\p{L}\p{M}\p{N}]")  # punctuation and the like, combining marks not
_COUNTS = (1, 2, 3, 6, 11, 51, 201)


@dataclass(frozen=True)
class Bucket:
    """The places of some sentences, and what they have in common."""

    label: str
    rows: list[int]


def by_length(sources: Sequence[str]) -> list[Bucket]:
    """By the words of the source (what stands between white space); empty groups are left out."""
    return _buckets([len(source.split()) for source in sources], _LENGTHS)


def length_label(source: str) -> str:
    """The label of the group that `by_length` puts a sentence into."""
    return by_length([source])[0].label


def by_rarest_word(sources: Sequence[str]) -> list[Bucket]:
    """By how often the source's rarest word stands in all of `sources`; words are lower-cased and without punctuation.

    The split's own counts: the training text's are not known of a run.
    """
    words = [_words(source) for source in sources]
    counts = Counter(word for sentence in words for word in sentence)
    return _buckets([min((counts[word] for word in sentence), default=0) for sentence in words], _COUNTS)


def _words(source: str) -> list[str]:
    bare = (_MARKS.sub("", word) for word in source.lower().split())
    return [word for word in bare if word]


def _buckets(values: Sequence[int], starts: Sequence[int]) -> list[Bucket]:
    """A group for each range from one start to before the next; what is below the first start joins it."""
    found = []
    for start, end in pairwise([*starts, None]):
        assert start is not None
        label = f"{start}+" if end is None else str(start) if end == start + 1 else f"{start}-{end - 1}"
        low = start if start > starts[0] else 0
        rows = [row for row, value in enumerate(values) if low <= value and (end is None or value < end)]
        if rows:
            found.append(Bucket(label, rows))
    return found


LENGTH_LABELS = tuple(length_label("a " * start) for start in _LENGTHS)
"""All of them, short sentences first."""
