"""ROUGE (Lin 2004): what of a reference's words a hypothesis has, as rouge-score of Google counts it."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from rapidfuzz.distance import LCSseq

from s2s_lit.metrics.text import UNIT, TextMetric


def rouge_words(text: str) -> list[str]:
    """Runs of a-z and 0-9 in the lower-cased text; any other letter separates (`ü` too), as in rouge-score."""
    return re.findall(r"[a-z0-9]+", text.lower())


class _Rouge(TextMetric):
    """The mean over sentences of F1 = 2 * shared / (units of hypothesis + units of reference), in percent.

    That is what papers report and rouge-score's aggregator gives, not the F1 of the corpus's total counts. A pair that
    shares nothing has 0, one of two empty texts too. Without stemming.
    """

    size: ClassVar[int] = 1
    higher_is_better = True

    @abstractmethod
    def shared(self, hypothesis: Sequence[str], reference: Sequence[str]) -> tuple[int, int, int]:
        """Units that both have, units of the hypothesis, units of the reference."""

    def against(self, hypothesis: str, reference: str) -> list[int]:
        shared, ours, theirs = self.shared(rouge_words(hypothesis), rouge_words(reference))
        return [2 * shared * UNIT // (ours + theirs) if shared else 0]

    def score(self, sums: list[int], pairs: int) -> float:
        return 100 * sums[0] / (UNIT * pairs)


class _RougeN(_Rouge):
    order: ClassVar[int]

    def shared(self, hypothesis: Sequence[str], reference: Sequence[str]) -> tuple[int, int, int]:
        ours, theirs = self._grams(hypothesis), self._grams(reference)
        return (ours & theirs).total(), ours.total(), theirs.total()

    def _grams(self, words: Sequence[str]) -> Counter[tuple[str, ...]]:
        return Counter(zip(*(words[start:] for start in range(self.order)), strict=False))


class Rouge1(_RougeN):
    """ROUGE-1 in percent: F1 of single words, each as often as both have it; mean over sentences (Lin 2004, section 2).

    Words are runs of a-z and 0-9 of the lower-cased text, not stemmed, as in rouge-score.
    """

    name: ClassVar[str] = "rouge1"
    label: ClassVar[str] = "ROUGE-1"
    order: ClassVar[int] = 1


class Rouge2(_RougeN):
    """ROUGE-2 in percent: F1 of pairs of neighbouring words; mean over sentences (Lin 2004, section 2).

    Words are runs of a-z and 0-9 of the lower-cased text, not stemmed, as in rouge-score.
    """

    name: ClassVar[str] = "rouge2"
    label: ClassVar[str] = "ROUGE-2"
    order: ClassVar[int] = 2


class RougeL(_Rouge):
    """ROUGE-L in percent: F1 of the longest common subsequence of words; mean over sentences (Lin 2004, section 3.1).

    Words are runs of a-z and 0-9 of the lower-cased text, not stemmed, as in rouge-score.
    """

    name: ClassVar[str] = "rougeL"
    label: ClassVar[str] = "ROUGE-L"

    def shared(self, hypothesis: Sequence[str], reference: Sequence[str]) -> tuple[int, int, int]:
        return LCSseq.similarity(hypothesis, reference), len(hypothesis), len(reference)
