"""Metrics of machine translation, by sacrebleu's own arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sacrebleu.metrics.base import Metric as SacrebleuMetric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from s2s_lit.metrics.sacrebleu_adapter import score_of, statistics_of
from s2s_lit.metrics.text import TextMetric


class _Sacrebleu(TextMetric):
    """A metric of sacrebleu, equal to its `corpus_score` on the same texts, with several references too."""

    scale: ClassVar[int] = 1
    """By what the statistics are multiplied to be whole numbers."""

    def __init__(self, scorer: SacrebleuMetric) -> None:
        super().__init__()
        self._scorer = scorer
        self._numbers: set[int] = set()  # of references, for the signature; sacrebleu learns it from a corpus

    def statistics(self, hypothesis: str, references: Sequence[str]) -> list[int]:
        self._numbers.add(len(references))
        return [round(value * self.scale) for value in statistics_of(self._scorer, hypothesis, references)]

    def against(self, hypothesis: str, reference: str) -> list[int]:
        return self.statistics(hypothesis, [reference])

    def score(self, sums: list[int], pairs: int) -> float:
        return score_of(self._scorer, sums if self.scale == 1 else [each / self.scale for each in sums])

    def signature(self) -> str:
        numbers = self._numbers or {1}
        self._scorer.num_refs = max(numbers) if len(numbers) == 1 else -1
        return str(self._scorer.get_signature())


class Bleu(_Sacrebleu):
    """BLEU in percent, up to 4-grams, exponential smoothing (Papineni et al. 2002; Post 2018).

    Args:
        tokenize: sacrebleu's name of the tokenizer applied to both sides; 13a is what papers report.
        lowercase: Lower-case both sides, as in the published scores of Multi30k.
    """

    name: ClassVar[str] = "bleu"
    label: ClassVar[str] = "BLEU"
    size: ClassVar[int] = 10
    higher_is_better = True

    def __init__(self, *, tokenize: str = "13a", lowercase: bool = False) -> None:
        super().__init__(BLEU(tokenize=tokenize, lowercase=lowercase))


class Chrf(_Sacrebleu):
    """chrF2 in percent: the F-score of character n-grams up to 6, recall counting double (Popović 2015, section 2).

    Args:
        lowercase: Lower-case both sides.
    """

    name: ClassVar[str] = "chrf"
    label: ClassVar[str] = "chrF"
    size: ClassVar[int] = 18
    higher_is_better = True

    def __init__(self, *, lowercase: bool = False) -> None:
        super().__init__(CHRF(lowercase=lowercase))


class Ter(_Sacrebleu):
    """TER in percent: word edits, shifts included, per reference word (Snover et al. 2006, section 2).

    Args:
        case_sensitive: Whether letters of another case are others; by custom they are not.
    """

    name: ClassVar[str] = "ter"
    label: ClassVar[str] = "TER"
    size: ClassVar[int] = 2
    scale: ClassVar[int] = 2**20  # of several references the mean length counts; a power of two changes no quotient
    higher_is_better = False

    def __init__(self, *, case_sensitive: bool = False) -> None:
        super().__init__(TER(case_sensitive=case_sensitive))
