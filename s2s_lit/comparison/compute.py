"""Computes a comparison: which scores there are is said by the task that the runs learnt."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from s2s_lit.comparison.pairs import ContrastingExample, Pair, SystemScore
from s2s_lit.comparison.results import COST, PERPLEXITY, WORD_PERPLEXITY, Comparison, Group
from s2s_lit.comparison.selection import find_systems
from s2s_lit.comparison.systems import System
from s2s_lit.config.catalogue import task_named
from s2s_lit.errors import UserError
from s2s_lit.metrics.buckets import Bucket, by_length, by_rarest_word
from s2s_lit.metrics.likelihood import words_in
from s2s_lit.metrics.score import Score
from s2s_lit.metrics.significance import (
    BOOTSTRAP,
    RANDOMIZATIONS,
    Estimate,
    ScoreOfSums,
    mean_score,
    paired_tests,
    scores_of_runs,
    seeds_p_value,
)
from s2s_lit.metrics.text import TextMetric
from s2s_lit.tasks.base import Task
from s2s_lit.types import Prediction

_PLACE = 3  # of the perplexity among the scores: after the three text metrics that a task names first

Statistics = NDArray[np.float64]
"""What each of N examples adds to the sums of a score in R runs: [N, R, k]."""


@dataclass(frozen=True)
class _Measure:
    """A score, how it is computed from sums, and the statistics of each system; None where they are not kept."""

    score: Score
    of_sums: ScoreOfSums
    statistics: list[Statistics | None]
    comparable: list[bool]


def compare(
    selectors: Sequence[str],
    *,
    split: str = "test",
    dataset: str | None = None,
    examples: int = 5,
    bootstrap: int = BOOTSTRAP,
    randomizations: int = RANDOMIZATIONS,
) -> Comparison:
    """Compares finished runs on the same examples: scores, tests of significance, and where the systems differ.

    Args:
        selectors: Experiments' names (all their seeds) or run ids; the first is what the others are tested against.
        split: The split whose predictions are compared.
        dataset: Look only among the runs on this data set.
        examples: How many examples are shown on which a system gains most, and on which it loses most.
        bootstrap: How many resamples of the examples are drawn.
        randomizations: How many random swaps of the outputs are tried.

    Raises:
        UserError: The runs are not found or cannot be compared, or a number is below 1.
    """
    for name, value in (("examples", examples), ("bootstrap", bootstrap), ("randomizations", randomizations)):
        if value < 1:
            raise UserError(f"{name} must be at least 1, not {value}")
    systems = find_systems(selectors, split, dataset=dataset)
    task = task_named(systems[0].task)
    measures = _measures(systems, task)
    closeup = next(measure for measure in measures if measure.score.name == (task.closeup or PERPLEXITY.name))
    table = {measure.score.name: _scores(measure, bootstrap, randomizations) for measure in measures}
    return Comparison(
        split=split,
        systems=systems,
        scores=[measure.score for measure in measures],
        headline=task.headline,
        closeup=closeup.score,
        example_score=_example_score(closeup),
        table=table,
        groups=_groups(systems[0], measures),
        pairs=_pairs(systems, measures, table, closeup, examples),
        bootstrap=bootstrap,
        randomizations=randomizations,
    )


def _measures(systems: Sequence[System], task: type[Task]) -> list[_Measure]:
    """The task's text metrics, the perplexity, and the one by word if the task has it."""
    measures = []
    for metric in task.usual_metrics():
        (score,) = metric.scores
        statistics: list[Statistics | None] = [_text_statistics(system, metric) for system in systems]
        measures.append(_Measure(score, metric.score, statistics, [True] * len(systems)))
    costs = [_costs(system, lambda prediction: prediction.reference_tokens) for system in systems]
    likelihoods = [_Measure(PERPLEXITY, _perplexity, costs, _same_units(costs))]
    if WORD_PERPLEXITY in task.likelihood_class.scores:
        by_word = [_costs(system, lambda prediction: words_in(prediction.reference)) for system in systems]
        likelihoods.append(_Measure(WORD_PERPLEXITY, _perplexity, by_word, _same_units(by_word)))
    return [*measures[:_PLACE], *likelihoods, *measures[_PLACE:]]


def _text_statistics(system: System, metric: TextMetric) -> Statistics:
    runs = [[metric.statistics(p.hypothesis, p.references) for p in run] for run in system.predictions]
    return np.asarray(runs, dtype=np.float64).transpose(1, 0, 2)


def _costs(system: System, units: Callable[[Prediction], int]) -> Statistics | None:
    """What each reference costs in nats, and its units (tokens or words); None if a run did not keep the costs."""
    if any(p.nll is None for run in system.predictions for p in run):
        return None
    runs = [[(p.nll, units(p)) for p in run] for run in system.predictions]
    return np.asarray(runs, dtype=np.float64).transpose(1, 0, 2)


def _perplexity(sums: Any, examples: int) -> float:
    return float(np.exp(sums[0] / max(sums[1], 1)))


def _same_units(costs: Sequence[Statistics | None]) -> list[bool]:
    """Which systems cut their references into as many units as the first: perplexity is per unit."""
    first = costs[0]
    return [first is not None and cost is not None and bool((cost[..., 1] == first[:, :1, 1]).all()) for cost in costs]


def _scores(measure: _Measure, bootstrap: int, randomizations: int) -> list[SystemScore | None]:
    """The score of each system. Those that are comparable with the first are tested against it."""
    tested: dict[int, Estimate] = {}
    sizes = {"bootstrap": bootstrap, "randomizations": randomizations}
    beside = [(i, s) for i, s in enumerate(measure.statistics) if s is not None and measure.comparable[i]]
    if beside:
        estimates = paired_tests([statistics for _, statistics in beside], measure.of_sums, **sizes)
        tested = {i: estimate for (i, _), estimate in zip(beside, estimates, strict=True)}
    first = measure.statistics[0]
    found: list[SystemScore | None] = []
    for i, own in enumerate(measure.statistics):
        if own is None:
            found.append(None)
            continue
        runs = scores_of_runs(own, measure.of_sums)
        estimate = tested.get(i) or paired_tests([own], measure.of_sums, **sizes)[0]
        difference = seeds_p = None
        if i > 0 and first is not None and measure.comparable[i]:
            difference = estimate.score - tested[0].score
            # Between equal outputs the p-value would be the smallest possible.
            if np.array_equal(first, own) or not math.isfinite(difference):
                estimate = replace(estimate, bootstrap_p=None, randomization_p=None)
            else:
                seeds_p = seeds_p_value(scores_of_runs(first, measure.of_sums), runs)
        found.append(SystemScore(estimate, runs, difference, seeds_p, measure.comparable[i]))
    return found


def _groups(system: System, measures: Sequence[_Measure]) -> dict[str, list[Group]]:
    """The examples by the length and the rarest word of their source, or of the text itself if there is no source."""
    predictions = system.predictions[0]
    texts = [prediction.source for prediction in predictions]
    name = "source" if any(prediction.inputs for prediction in predictions) else "text"
    buckets = {
        f"words in the {name}": by_length(texts),
        f"occurrences in the split of the {name}'s rarest word": by_rarest_word(texts),
    }
    return {title: [_group(bucket, measures) for bucket in found] for title, found in buckets.items()}


def _group(bucket: Bucket, measures: Sequence[_Measure]) -> Group:
    values = {
        m.score.name: [None if s is None else mean_score(s[bucket.rows], m.of_sums) for s in m.statistics]
        for m in measures
    }
    return Group(bucket.label, len(bucket.rows), values)


def _pairs(
    systems: Sequence[System],
    measures: Sequence[_Measure],
    table: dict[str, list[SystemScore | None]],
    closeup: _Measure,
    count: int,
) -> list[Pair]:
    """Each system but the first beside the first."""
    pairs = []
    for index, other in enumerate(systems[1:], start=1):
        scores = {m.score: (table[m.score.name][0], table[m.score.name][index]) for m in measures}
        pairs.append(Pair(systems[0], other, scores, _contrasting(systems[0], other, closeup, index, count)))
    return pairs


def _example_score(closeup: _Measure) -> Score:
    """The score of single examples: the cost instead of a perplexity, which is per token and says little of few."""
    return COST if closeup.score == PERPLEXITY else closeup.score


def _of_each_example(closeup: _Measure, index: int) -> NDArray[np.float64] | None:
    """The score of each example in a system's first run: [N]."""
    statistics = closeup.statistics[index]
    if statistics is None:
        return None
    if _example_score(closeup) == COST:
        return statistics[:, 0, 0]
    return np.asarray([closeup.of_sums(list(row), 1) for row in statistics[:, 0]])


def _contrasting(first: System, other: System, closeup: _Measure, index: int, count: int) -> list[ContrastingExample]:
    """The examples on which the other system (number `index`) gains most, then those on which it loses most."""
    ours, theirs = _of_each_example(closeup, 0), _of_each_example(closeup, index)
    if ours is None or theirs is None:
        return []
    gains = theirs - ours if closeup.score.higher_is_better else ours - theirs
    order = np.argsort(-gains, kind="stable")
    gained = [i for i in order[:count] if gains[i] > 0]
    lost = [i for i in order[::-1][:count] if gains[i] < 0]
    return [
        ContrastingExample(first.predictions[0][i], other.predictions[0][i], float(ours[i]), float(theirs[i]))
        for i in (*gained, *lost)
    ]
