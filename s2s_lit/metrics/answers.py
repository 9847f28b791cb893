"""Metrics of short answers, as the evaluation script of SQuAD v1.1 computes them (Rajpurkar et al. 2016, section 6.1).

Both sides are compared without case, ASCII punctuation, the articles a, an, the, and repeated white space.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from typing import ClassVar

from s2s_lit.metrics.text import UNIT, TextMetric

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def answer_words(text: str) -> list[str]:
    """The words that count; punctuation is removed, not replaced: `don't` is `dont`."""
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


class ExactMatch(TextMetric):
    """Found outputs that equal their references in the words that count, in percent.

    Case, ASCII punctuation, the English articles and repeated white space do not count.
    """

    name: ClassVar[str] = "exact_match"
    label: ClassVar[str] = "exact match"
    size: ClassVar[int] = 1
    higher_is_better = True

    def against(self, hypothesis: str, reference: str) -> list[int]:
        return [int(answer_words(hypothesis) == answer_words(reference))]

    def score(self, sums: list[int], pairs: int) -> float:
        return 100 * sums[0] / pairs


class WordF1(TextMetric):
    """F1 of the words that count, each as often as both have it, in percent: mean over sentences.

    F1 = 2 * shared / (words of hypothesis + words of reference), 0 where nothing is shared, two empty texts too. Case,
    ASCII punctuation, the English articles and repeated white space do not count.
    """

    name: ClassVar[str] = "f1"
    label: ClassVar[str] = "F1 (words)"
    size: ClassVar[int] = 1
    higher_is_better = True

    def against(self, hypothesis: str, reference: str) -> list[int]:
        ours, theirs = Counter(answer_words(hypothesis)), Counter(answer_words(reference))
        shared = (ours & theirs).total()
        return [2 * shared * UNIT // (ours.total() + theirs.total()) if shared else 0]

    def score(self, sums: list[int], pairs: int) -> float:
        return 100 * sums[0] / (UNIT * pairs)
