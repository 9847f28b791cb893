"""Whether a difference between systems is more than chance: sacrebleu's paired tests, for any score of sums."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ttest_ind

from s2s_lit.metrics.sacrebleu_adapter import bootstrap_p_value, interval, randomization_p_value

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

    The numbers are sacrebleu's, with its seed `SACREBLEU_SEED` (12345). A system is what its runs score in the mean: a
    sentence is drawn, or swapped between two systems, for all their runs at once. Each system is tested against the
    first alone, so the others change nothing. To be swapped, runs meet in pairs, which are repeated up to a common
    multiple of the two numbers of runs: all pairs count alike, and no mean changes.

    Args:
        systems: For each, the statistics [N, R, k] of the same N sentences in R runs.
        score: Of the sums [k] over N sentences.
        bootstrap: Resamples of the sentences.
        randomizations: Trials, in each of which every sentence's outputs are swapped or not.
    """
    first, *others = systems
    scores = [mean_score(system, score) for system in systems]
    drawn = _resampled(systems, score, bootstrap)
    found = [Estimate(scores[0], *interval(drawn[0]))]
    for system, own, samples in zip(others, scores[1:], drawn[1:], strict=True):
        drawn_p = bootstrap_p_value(drawn[0], samples, scores[0] - own)
        swapped_p = _randomization_p(first, system, score, randomizations)
        found.append(Estimate(own, *interval(samples), drawn_p, swapped_p))
    return found


def _resampled(systems: Sequence[NDArray[np.float64]], score: ScoreOfSums, samples: int) -> list[NDArray[np.float64]]:
    """Each system's score on resamples of the sentences, the same ones for all.

    They are those that sacrebleu draws, and summed as there, but one after the other: it holds all of them at once, a
    gigabyte for each three or four runs of some thousand sentences.
    """
    seed = os.environ.get("SACREBLEU_SEED", "12345")
    generator = np.random.default_rng(None if seed.lower() == "none" else int(seed))
    sentences = len(systems[0])
    rows = generator.choice(sentences, size=(samples, sentences), replace=True)
    return [
        np.asarray([_mean(single[drawn].sum(0), score, sentences) for drawn in rows])
        for single in (system.astype(np.float32) for system in systems)
    ]


def _mean(sums: NDArray[Any], score: ScoreOfSums, sentences: int) -> float:
    """The mean score of runs: [R, k]. That of one stays in the precision that it has, as in sacrebleu."""
    scores = [score(list(part), sentences) for part in sums]
    return scores[0] if len(scores) == 1 else float(np.mean(scores))


def _randomization_p(first: NDArray[np.float64], other: NDArray[np.float64], score: ScoreOfSums, trials: int) -> float:
    runs = math.lcm(first.shape[1], other.shape[1])
    ours, theirs = (
        np.tile(system, (1, runs // system.shape[1], 1)).reshape(len(system), -1) for system in (first, other)
    )

    def mean(sums: NDArray[np.float64]) -> float:
        return _mean(sums.reshape(runs, -1), score, len(first))

    return randomization_p_value(ours, theirs, mean, trials)


def seeds_p_value(first: Sequence[float], other: Sequence[float]) -> float | None:
    """Welch's t-test (1947) of the runs' scores: p that two kinds of training give the same mean over seeds.

    None where either has one run, or none of them varies.
    """
    if min(len(first), len(other)) < 2 or len(set(first)) == len(set(other)) == 1:
        return None
    return float(ttest_ind(first, other, equal_var=False).pvalue)
