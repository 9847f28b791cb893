"""Whether a difference between systems is more than chance: sacrebleu's paired tests, for any score of sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.base import Signature
from sacrebleu.significance import PairedTest
from scipy.stats import ttest_ind

BOOTSTRAP, RANDOMIZATIONS = 1000, 10_000
"""Resamples and trials; sacrebleu's defaults."""

ScoreOfSums = Callable[[Any, int], float]
"""The score of a corpus from its sums [k] over so many sentences, as `TextMetric.score`."""


@dataclass(frozen=True)
class Estimate:
    """A system's score, its 95 % interval `mean ± margin` over resampled sentences, and p-values against the first."""

    score: float
    mean: float
    margin: float
    bootstrap_p: float | None = None
    randomization_p: float | None = None


def mean_score(statistics: NDArray[np.float64], score: ScoreOfSums) -> float:
    """The mean over R runs of the corpus score: [N, R, k] -> a number."""
    return float(np.mean(scores_of_runs(statistics, score)))


def scores_of_runs(statistics: NDArray[np.float64], score: ScoreOfSums) -> list[float]:
    """The corpus score of each of R runs: [N, R, k] -> R numbers."""
    return [float(score(list(sums), len(statistics))) for sums in statistics.sum(axis=0)]


def paired_tests(
    systems: Sequence[NDArray[np.float64]],
    score: ScoreOfSums,
    *,
    bootstrap: int = BOOTSTRAP,
    randomizations: int = RANDOMIZATIONS,
) -> list[Estimate]:
    """Paired bootstrap (Koehn 2004) and approximate randomization (Riezler and Maxwell 2005) against the first system.

    Both are sacrebleu's own, its seed is `SACREBLEU_SEED` (12345). A system is what its runs score in the mean: a
    sentence is drawn, or swapped between two systems, for all their runs at once. Where systems have different
    numbers of runs, these are repeated up to a common multiple, which changes no mean.

    Args:
        systems: For each, the statistics [N, R, k] of the same N sentences in R runs.
        score: Of the sums [k] over N sentences.
        bootstrap: Resamples of the sentences.
        randomizations: Trials, in each of which every sentence's outputs are swapped or not.
    """
    runs = math.lcm(*(system.shape[1] for system in systems))
    tiled = [np.tile(system, (1, runs // system.shape[1], 1)) for system in systems]
    metric = _SumsAsMetric(score, runs=runs, sentences=len(tiled[0]))
    named = [(str(i), system.reshape(len(system), -1)) for i, system in enumerate(tiled)]
    drawn = _results(named, metric, "bs", bootstrap)
    swapped = _results(named, metric, "ar", randomizations) if len(systems) > 1 else drawn
    return [
        Estimate(mean_score(system, score), float(one.mean), float(one.ci), one.p_value, two.p_value)
        for system, one, two in zip(systems, drawn, swapped, strict=True)
    ]


def seeds_p_value(first: Sequence[float], other: Sequence[float]) -> float | None:
    """Welch's t-test (1947) of the runs' scores: p that two kinds of training give the same mean over seeds.

    None where either has one run, or none of them varies.
    """
    if min(len(first), len(other)) < 2 or len(set(first)) == len(set(other)) == 1:
        return None
    return float(ttest_ind(first, other, equal_var=False).pvalue)


def _results(named: list[tuple[str, Any]], metric: _SumsAsMetric, test: str, samples: int) -> list[Any]:
    metrics: dict[str, Any] = {"score": metric}
    tests = PairedTest(named, metrics, references=None, test_type=test, n_samples=samples)
    return list(tests()[1]["score"])


class _Value(NamedTuple):
    """What sacrebleu expects a metric to return."""

    name: str
    score: float


class _SumsAsMetric:
    """What `sacrebleu.significance` asks of a metric, for "hypotheses" that are rows [R * k] of statistics already."""

    def __init__(self, score: ScoreOfSums, *, runs: int, sentences: int) -> None:
        self._score, self._runs, self._sentences = score, runs, sentences

    def _extract_corpus_statistics(self, hypotheses: NDArray[np.float64], references: None) -> NDArray[np.float64]:
        return hypotheses

    def _aggregate_and_compute(self, statistics: NDArray[np.float64]) -> _Value:
        return self._compute_score_from_stats(np.asarray(statistics).sum(axis=0))

    def _compute_score_from_stats(self, sums: NDArray[Any]) -> _Value:
        scores = [self._score(list(part), self._sentences) for part in sums.reshape(self._runs, -1)]
        return _Value("score", scores[0] if len(scores) == 1 else float(np.mean(scores)))

    def get_signature(self) -> Signature:
        return Signature({"num_refs": 1})
