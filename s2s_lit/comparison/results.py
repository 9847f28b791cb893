"""The numbers of a comparison, before anybody prints them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from s2s_lit.comparison.systems import Differences, System, differences, same_code
from s2s_lit.metrics.buckets import Bucket, by_length, by_rarest_word
from s2s_lit.metrics.edit import EditDistance
from s2s_lit.metrics.likelihood import Likelihood
from s2s_lit.metrics.score import Score
from s2s_lit.metrics.significance import (
    Estimate,
    ScoreOfSums,
    mean_score,
    paired_tests,
    scores_of_runs,
    seeds_p_value,
)
from s2s_lit.metrics.text import TextMetric
from s2s_lit.metrics.translation import Bleu, Chrf, Ter
from s2s_lit.types import Prediction

LEVEL = 0.05
CHRF = "chrf"  # by which sentences and groups of them are looked at
PERPLEXITY = next(score for score in Likelihood.scores if score.name == "perplexity")


@dataclass(frozen=True)
class Entry:
    """One score of one system: tested over sentences, the value of each run; against the first, the difference and p
    over seeds.

    `comparable` is false where the score is no answer to the same question as the first system's.
    """

    tested: Estimate
    runs: list[float]
    difference: float | None
    seeds_p: float | None
    comparable: bool

    @property
    def spread(self) -> float | None:
        """Standard deviation over the runs."""
        return float(np.std(self.runs, ddof=1)) if len(self.runs) > 1 else None

    @property
    def significant(self) -> bool | None:
        """As networks: there is a difference and all tests that could be made say p < 0.05; None where none could."""
        if self.difference == 0:
            return False
        made = [p for p in (self.tested.bootstrap_p, self.tested.randomization_p, self.seeds_p) if p is not None]
        return all(p < LEVEL for p in made) if made else None


@dataclass(frozen=True)
class Apart:
    """A sentence that a system translates better or worse than the first, by chrF in percent."""

    first: Prediction
    other: Prediction
    first_score: float
    other_score: float


@dataclass(frozen=True)
class Comparison:
    """Everything that is printed. `table[score name][i]` is of system i; None where it was not kept.

    `groups` are buckets with the mean of each score for each system; `apart[i]` the sentences of systems[i + 1].
    """

    split: str
    systems: list[System]
    scores: list[Score]
    table: dict[str, list[Entry | None]]
    groups: dict[str, list[tuple[Bucket, dict[str, list[float | None]]]]]
    apart: list[list[Apart]]
    bootstrap: int
    randomizations: int

    @property
    def sentences(self) -> int:
        return len(self.systems[0].predictions[0])

    def differences(self, index: int) -> Differences:
        """The settings in which system `index` differs from the first, seeds aside."""
        return differences(self.systems[0].runs[0], self.systems[index].runs[0])

    def chance_alone(self, index: int) -> bool:
        """Whether system `index` is the first trained again, so that no test over sentences can tell them apart.

        The settings are the same. Code may differ where several seeds of each show what it does.
        """
        first, other = self.systems[0], self.systems[index]
        if first.networks == other.networks or self.differences(index):
            return False
        return same_code([first, other]) or min(len(first.runs), len(other.runs)) == 1

    def significant(self, score: Score, index: int) -> bool | None:
        """Whether system `index` is shown to be another than the first; None where nothing could be tested."""
        entry = self.table[score.name][index]
        if entry is None or entry.significant is None:
            return None
        return entry.significant and not self.chance_alone(index)


def compare(systems: list[System], split: str, *, sentences: int, bootstrap: int, randomizations: int) -> Comparison:
    """Scores, tests and looks for where systems differ; `sentences` a side and system."""
    metrics: list[TextMetric] = [Bleu(), Chrf(), Ter(), EditDistance()]
    statistics = {m.name: [_text_statistics(s, m) for s in systems] for m in metrics}
    functions: dict[str, ScoreOfSums] = {m.name: m.score for m in metrics}
    scores = [score for m in metrics for score in m.scores]
    costs = [_costs(system) for system in systems]
    scores.insert(3, PERPLEXITY)
    functions[PERPLEXITY.name] = _perplexity
    sizes = {"bootstrap": bootstrap, "randomizations": randomizations}
    every = [True] * len(systems)
    table = {name: _entries(values, functions[name], every, sizes) for name, values in statistics.items()}
    table[PERPLEXITY.name] = _entries(costs, _perplexity, _same_tokens(costs), sizes)
    everything: dict[str, Sequence[NDArray[np.float64] | None]] = {**statistics, PERPLEXITY.name: costs}
    sources = [prediction.source for prediction in systems[0].predictions[0]]
    groups = {
        title: [(bucket, _within(bucket, everything, functions)) for bucket in buckets]
        for title, buckets in (
            ("words in the source", by_length(sources)),
            ("occurrences in the split of the source's rarest word", by_rarest_word(sources)),
        )
    }
    single = [_each_sentence(rows, functions[CHRF]) for rows in statistics[CHRF]]
    apart = [
        _furthest(systems[0], other, single[0], own, sentences)
        for other, own in zip(systems[1:], single[1:], strict=True)
    ]
    return Comparison(split, systems, scores, table, groups, apart, bootstrap, randomizations)


def _text_statistics(system: System, metric: TextMetric) -> NDArray[np.float64]:
    runs = [[metric.statistics(p.hypothesis, p.reference) for p in run] for run in system.predictions]
    return np.asarray(runs, dtype=np.float64).transpose(1, 0, 2)


def _costs(system: System) -> NDArray[np.float64] | None:
    """Nats and tokens of each reference; None where a run kept none."""
    if any(p.nll is None for run in system.predictions for p in run):
        return None
    runs = [[(p.nll, p.reference_tokens) for p in run] for run in system.predictions]
    return np.asarray(runs, dtype=np.float64).transpose(1, 0, 2)


def _perplexity(sums: Any, pairs: int) -> float:
    return float(np.exp(sums[0] / max(sums[1], 1)))


def _entries(
    values: Sequence[NDArray[np.float64] | None], score: ScoreOfSums, comparable: Sequence[bool], sizes: dict[str, int]
) -> list[Entry | None]:
    """Tests against the first all that are `comparable` with it; the others are scored alone."""
    tested: dict[int, Estimate] = {}
    beside = [(i, value) for i, value in enumerate(values) if value is not None and comparable[i]]
    if beside:
        results = paired_tests([value for _, value in beside], score, **sizes)
        tested = {i: result for (i, _), result in zip(beside, results, strict=True)}
    first = values[0]
    entries: list[Entry | None] = []
    for i, value in enumerate(values):
        if value is None:
            entries.append(None)
            continue
        runs = scores_of_runs(value, score)
        result = tested.get(i) or paired_tests([value], score, **sizes)[0]
        difference = seeds_p = None
        if i > 0 and first is not None and comparable[i]:
            difference = result.score - tested[0].score
            # Of equal outputs sacrebleu's p would be the least that there is.
            if np.array_equal(first, value) or not math.isfinite(difference):
                result = replace(result, bootstrap_p=None, randomization_p=None)
            else:
                seeds_p = seeds_p_value(scores_of_runs(first, score), runs)
        entries.append(Entry(result, runs, difference, seeds_p, comparable[i]))
    return entries


def _same_tokens(costs: Sequence[NDArray[np.float64] | None]) -> list[bool]:
    """Whose references are cut into as many tokens as the first's: perplexity is per token."""
    first = costs[0]
    return [first is not None and cost is not None and bool((cost[..., 1] == first[:, :1, 1]).all()) for cost in costs]


def _within(
    bucket: Bucket, statistics: Mapping[str, Sequence[NDArray[np.float64] | None]], functions: dict[str, ScoreOfSums]
) -> dict[str, list[float | None]]:
    return {
        name: [None if v is None else mean_score(v[bucket.rows], functions[name]) for v in values]
        for name, values in statistics.items()
    }


def _each_sentence(statistics: NDArray[np.float64], score: ScoreOfSums) -> NDArray[np.float64]:
    """The score of each sentence by the first run: [N]."""
    return np.asarray([score(list(row), 1) for row in statistics[:, 0]])


def _furthest(
    first: System, other: System, ours: NDArray[np.float64], theirs: NDArray[np.float64], count: int
) -> list[Apart]:
    """The sentences that the other gains most on, then those that it loses most on; of each system's first run."""
    order = np.argsort(ours - theirs, kind="stable")
    gained = [i for i in order[:count] if theirs[i] > ours[i]]
    lost = [i for i in order[::-1][:count] if theirs[i] < ours[i]]
    return [
        Apart(first.predictions[0][i], other.predictions[0][i], float(ours[i]), float(theirs[i]))
        for i in (*gained, *lost)
    ]
