"""The only file that reaches sacrebleu's private functions.

sacrebleu scores and tests whole corpora of texts in one call. Here sentences come in batches and from several
processes, and a test may compare any score of sums. So its parts are called one by one; they are private, which is why
its version is pinned in pyproject.toml and a test holds each name that is used here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.base import Metric, Signature
from sacrebleu.significance import PairedTest, _compute_p_value, estimate_ci


def statistics_of(metric: Metric, hypothesis: str, references: Sequence[str]) -> list[float]:
    """What one example adds to the sums of a corpus: counts, but for TER's mean length of several references."""
    (row,) = metric._extract_corpus_statistics([hypothesis], [[reference] for reference in references])
    return list(row)


def score_of(metric: Metric, sums: Sequence[float]) -> float:
    """The score of a corpus from its sums, in the precision that sacrebleu gives it."""
    return metric._compute_score_from_stats(list(sums)).score


def interval(scores: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and margin of the 95 % interval of the scores of resamples."""
    mean, margin = estimate_ci(scores)
    return float(mean), float(margin)


def bootstrap_p_value(first: NDArray[np.float64], other: NDArray[np.float64], difference: float) -> float:
    """Paired bootstrap: p of this difference, from both systems' scores on the same resamples."""
    differences = np.abs(other - first)
    return float(_compute_p_value(differences - differences.mean(), abs(difference)))


def randomization_p_value(
    first: NDArray[np.float64],
    other: NDArray[np.float64],
    score: Callable[[NDArray[np.float64]], float],
    trials: int,
) -> float:
    """Approximate randomization: p of the difference of two systems with statistics [N, k] of the same N sentences.

    Args:
        first: The first system's statistics.
        other: The other system's.
        score: The score of a system from its sums [k].
        trials: How often the sentences are swapped at random between the two.
    """
    named: list[Any] = [("first", first), ("other", other)]
    metrics: dict[str, Any] = {"score": _Sums(score)}
    test = PairedTest(named, metrics, references=None, test_type="ar", n_samples=trials)
    return float(test()[1]["score"][1].p_value)  # type: ignore[union-attr, arg-type]


class _Value(NamedTuple):
    """What sacrebleu expects a metric to return."""

    name: str
    score: float


class _Sums:
    """What sacrebleu's tests ask of a metric, for "hypotheses" that are rows of statistics already."""

    def __init__(self, score: Callable[[NDArray[np.float64]], float]) -> None:
        self._score = score

    def _extract_corpus_statistics(self, hypotheses: NDArray[np.float64], references: None) -> NDArray[np.float64]:
        return hypotheses

    def _aggregate_and_compute(self, statistics: NDArray[np.float64]) -> _Value:
        return self._compute_score_from_stats(np.asarray(statistics).sum(axis=0))

    def _compute_score_from_stats(self, sums: NDArray[Any]) -> _Value:
        return _Value("score", self._score(sums))

    def get_signature(self) -> Signature:
        return Signature({"num_refs": 1})
