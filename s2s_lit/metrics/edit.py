"""Metrics that count edits (Levenshtein 1966): insertions, deletions, substitutions, each costing one."""

from __future__ import annotations

from typing import ClassVar

from rapidfuzz.distance import Levenshtein

from s2s_lit.metrics.text import TextMetric


class EditDistance(TextMetric):
    """Words to insert, delete or substitute to turn a hypothesis into its reference, mean per sentence.

    Words are what stands between white space.
    """

    name: ClassVar[str] = "edit_distance"
    label: ClassVar[str] = "edit distance (words)"
    pattern: ClassVar[str] = "{:.3f}"
    size: ClassVar[int] = 1
    higher_is_better = False

    def against(self, hypothesis: str, reference: str) -> list[int]:
        return [Levenshtein.distance(hypothesis.split(), reference.split())]

    def score(self, sums: list[int], pairs: int) -> float:
        return sums[0] / pairs


class _ErrorRate(TextMetric):
    """100 * edits / units of the references, over the whole corpus; above 100 where hypotheses are too long.

    If all references are empty, every unit of the hypotheses is one error in one unit.
    """

    size: ClassVar[int] = 2
    higher_is_better = False

    def score(self, sums: list[int], pairs: int) -> float:
        return 100 * sums[0] / max(sums[1], 1)


class WordErrorRate(_ErrorRate):
    """WER in percent: edits of words per reference word, over the whole corpus; cased, with punctuation.

    Words are what stands between white space. If all references are empty, they count as one word.
    """

    name: ClassVar[str] = "wer"
    label: ClassVar[str] = "WER"

    def against(self, hypothesis: str, reference: str) -> list[int]:
        words = reference.split()
        return [Levenshtein.distance(hypothesis.split(), words), len(words)]


class CharacterErrorRate(_ErrorRate):
    """CER in percent: edits of characters per reference character, over the whole corpus; cased, with punctuation.

    White space within a sentence counts, around it does not. If all references are empty, they count as one character.
    """

    name: ClassVar[str] = "cer"
    label: ClassVar[str] = "CER"

    def against(self, hypothesis: str, reference: str) -> list[int]:
        characters = reference.strip()
        return [Levenshtein.distance(hypothesis.strip(), characters), len(characters)]
