"""Metrics of outputs that are strings of symbols: phones, letters, inflected forms."""

from __future__ import annotations

from typing import ClassVar

from rapidfuzz.distance import Levenshtein

from s2s_lit.metrics.text import TextMetric


class SequenceErrorRate(TextMetric):
    """Outputs with any error, in percent: the "word error rate" of letters to phones, 100 - accuracy of inflection.

    Repeated white space does not count. Of several references the nearest counts.
    """

    name: ClassVar[str] = "sequence_error_rate"
    label: ClassVar[str] = "outputs with an error (%)"
    size: ClassVar[int] = 1
    higher_is_better = False

    def against(self, hypothesis: str, reference: str) -> list[int]:
        return [int(hypothesis.split() != reference.split())]

    def score(self, sums: list[int], pairs: int) -> float:
        return 100 * sums[0] / pairs


class SymbolErrorRate(TextMetric):
    """Edits per symbol of the references, in percent, over the whole corpus: the phone error rate (PER).

    Symbols are what stands between white space. If all references are empty, they count as one symbol.
    """

    name: ClassVar[str] = "symbol_error_rate"
    label: ClassVar[str] = "symbol error rate (%)"
    size: ClassVar[int] = 2
    higher_is_better = False

    def against(self, hypothesis: str, reference: str) -> list[int]:
        symbols = reference.split()
        return [Levenshtein.distance(hypothesis.split(), symbols), len(symbols)]

    def score(self, sums: list[int], pairs: int) -> float:
        return 100 * sums[0] / max(sums[1], 1)
