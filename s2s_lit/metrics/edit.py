"""Metrics that count edits."""

from __future__ import annotations

from typing import ClassVar

from rapidfuzz.distance import Levenshtein

from s2s_lit.metrics.text import TextMetric


class EditDistance(TextMetric):
    """Words to insert, delete or substitute to turn a hypothesis into its reference, mean per sentence.

    Words are what stands between white space (Levenshtein 1966).
    """

    name: ClassVar[str] = "edit_distance"
    size: ClassVar[int] = 1
    higher_is_better = False

    def __init__(self) -> None:
        super().__init__()

    def statistics(self, hypothesis: str, reference: str) -> list[int]:
        return [Levenshtein.distance(hypothesis.split(), reference.split())]

    def score(self, sums: list[int], pairs: int) -> float:
        return sums[0] / pairs
