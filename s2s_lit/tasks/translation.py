"""Machine translation."""

from __future__ import annotations

from s2s_lit.metrics.edit import EditDistance
from s2s_lit.metrics.text import TextMetric
from s2s_lit.metrics.translation import Bleu, Chrf, Ter
from s2s_lit.tasks.generation import GenerationTask


class TranslationTask(GenerationTask):
    """Translation of `source`, usually scored by BLEU, chrF and TER (sacrebleu, detokenized) and by edit distance."""

    name = "translation"
    headline = "bleu"
    closeup = "chrf"

    @classmethod
    def usual_metrics(cls) -> list[TextMetric]:
        return [Bleu(), Chrf(), Ter(), EditDistance()]

    @classmethod
    def advice(cls, run: str) -> list[str]:
        return [f'make translate RUN={run} TEXT="A man is reading a book."']
