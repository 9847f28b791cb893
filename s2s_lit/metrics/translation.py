"""Metrics of machine translation, by sacrebleu's own arithmetic."""

from __future__ import annotations

from typing import ClassVar

from sacrebleu.metrics.base import Metric as SacrebleuMetric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from s2s_lit.metrics.sacrebleu_adapter import score_of, statistics_of
from s2s_lit.metrics.text import TextMetric


class _Sacrebleu(TextMetric):
    """A metric of sacrebleu, equal to its `corpus_score` on the same pairs."""

    def __init__(self, scorer: SacrebleuMetric) -> None:
        super().__init__()
        scorer.num_refs = 1  # for the signature; sacrebleu learns it from a corpus
        self._scorer = scorer

    def statistics(self, hypothesis: str, reference: str) -> list[int]:
        return statistics_of(self._scorer, hypothesis, reference)

    def score(self, sums: list[int], pairs: int) -> float:
        return score_of(self._scorer, sums)

    def signature(self) -> str:
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
    higher_is_better = False

    def __init__(self, *, case_sensitive: bool = False) -> None:
        super().__init__(TER(case_sensitive=case_sensitive))
