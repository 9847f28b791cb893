"""Strings to strings: letters to phones, transliteration, inflection."""

from __future__ import annotations

from s2s_lit.metrics.text import TextMetric
from s2s_lit.metrics.transduction import SequenceErrorRate, SymbolErrorRate
from s2s_lit.tasks.generation import GenerationTask


class TransductionTask(GenerationTask):
    """A string of symbols for each `source`, scored by how many are wrong at all and by edits per symbol."""

    name = "transduction"
    headline = "sequence_error_rate"
    closeup = "symbol_error_rate"

    @classmethod
    def usual_metrics(cls) -> list[TextMetric]:
        return [SequenceErrorRate(), SymbolErrorRate()]

    @classmethod
    def advice(cls, run: str) -> list[str]:
        return [f'make translate RUN={run} TEXT="..."']
