"""Tests of significance: sacrebleu's command line gives the same numbers; what is known beforehand comes out."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from s2s_lit.metrics.edit import EditDistance
from s2s_lit.metrics.significance import Estimate, mean_score, paired_tests, seeds_p_value
from s2s_lit.metrics.text import TextMetric
from s2s_lit.metrics.translation import Bleu, Chrf, Ter
from support.sacrebleus import command_line

WORDS = "der die das Hund Katze Mann Frau liest sieht schläft im Garten ein Buch , und alte rote Haus .".split()
SAMPLES = 60


def corpus(seed: int, damage: float, references: list[str]) -> list[str]:
    """Hypotheses with that share of their words replaced."""
    draw = random.Random(seed)
    return [
        " ".join(draw.choice(WORDS) if draw.random() < damage else word for word in line.split()) for line in references
    ]


def statistics(metric: TextMetric, references: list[str], *runs: list[str]) -> NDArray[np.float64]:
    rows = [[metric.against(*pair) for pair in zip(run, references, strict=True)] for run in runs]
    return np.asarray(rows, dtype=np.float64).transpose(1, 0, 2)


@pytest.fixture(scope="module")
def references() -> list[str]:
    draw = random.Random(0)
    return [" ".join(draw.choices(WORDS, k=draw.randint(3, 14))) for _ in range(50)]


@pytest.mark.parametrize("test", ["bs", "ar"])
def test_numbers_are_those_of_sacrebleus_command_line(test: str, references: list[str], tmp_path: Path) -> None:
    outputs = {"a": corpus(1, 0.4, references), "b": corpus(2, 0.3, references), "c": corpus(3, 0.41, references)}
    printed = command_line(test, tmp_path, references, outputs, SAMPLES)
    for column, metric in enumerate((Bleu(), Chrf(), Ter())):
        systems = [statistics(metric, references, lines) for lines in outputs.values()]
        found = paired_tests(systems, metric.score, bootstrap=SAMPLES, randomizations=SAMPLES)
        for name, ours in zip(outputs, found, strict=True):
            interval = [ours.mean, ours.margin] if test == "bs" else []
            p_value = ours.bootstrap_p if test == "bs" else ours.randomization_p
            expected = printed[name][column]
            assert [ours.score, *interval] == pytest.approx(expected[: 1 + len(interval)], abs=2e-10), metric.name
            tested = [] if p_value is None else [p_value]
            assert tested == pytest.approx(expected[1 + len(interval) :], abs=5e-5), metric.name  # four digits printed
            assert len(tested) == (name != "a")


def both(found: list[Estimate]) -> tuple[float, float]:
    first, other = found
    assert first.bootstrap_p is first.randomization_p is None
    assert other.bootstrap_p is not None
    assert other.randomization_p is not None
    return other.bootstrap_p, other.randomization_p


@pytest.mark.parametrize("metric", [Bleu(), Chrf(), Ter(), EditDistance()], ids=lambda metric: metric.name)
def test_much_is_significant_and_nothing_is_not(metric: TextMetric, references: list[str]) -> None:
    good, bad, alike = (
        statistics(metric, references, corpus(*drawn, references)) for drawn in ((1, 0.1), (2, 0.6), (3, 0.1))
    )
    assert max(both(paired_tests([good, bad], metric.score, bootstrap=100, randomizations=100))) < 0.05
    assert min(both(paired_tests([good, alike], metric.score, bootstrap=100, randomizations=100))) > 0.05
    same = both(paired_tests([good, good], metric.score, bootstrap=100, randomizations=100))
    assert same == (1 / 101, 1 / 101)  # sacrebleu's: "a zero difference should not be attributed to chance"


def test_a_system_of_several_runs_is_their_mean(references: list[str]) -> None:
    metric = Chrf()
    runs = [corpus(seed, 0.3, references) for seed in range(3)]
    each = [metric.score(statistics(metric, references, run).sum(axis=(0, 1)).tolist(), 50) for run in runs]
    group = statistics(metric, references, *runs)
    assert mean_score(group, metric.score) == pytest.approx(np.mean(each))
    (alone,) = paired_tests([group], metric.score, bootstrap=SAMPLES)
    assert alone.score == pytest.approx(np.mean(each))
    assert alone.randomization_p is None


def test_the_same_run_thrice_is_that_run(references: list[str]) -> None:
    metric, run, other = Bleu(), corpus(1, 0.3, references), corpus(2, 0.35, references)
    one, many = statistics(metric, references, run), statistics(metric, references, run, run, run)
    rival = statistics(metric, references, other)
    sizes = {"bootstrap": SAMPLES, "randomizations": SAMPLES}
    alone, grouped = (paired_tests([first, rival], metric.score, **sizes) for first in (one, many))
    for a, b in zip(alone, grouped, strict=True):
        assert (a.score, a.mean, a.margin) == pytest.approx((b.score, b.mean, b.margin))
        assert (a.bootstrap_p, a.randomization_p) == (b.bootstrap_p, b.randomization_p)


def test_other_systems_and_unequal_numbers_of_runs_change_nothing(references: list[str]) -> None:
    metric, sizes = Chrf(), {"bootstrap": SAMPLES, "randomizations": SAMPLES}
    one, two = corpus(1, 0.3, references), corpus(2, 0.35, references)
    first, rival = (statistics(metric, references, *runs) for runs in ([one] * 4, [two] * 3))
    many = statistics(metric, references, *(corpus(seed, 0.3, references) for seed in range(7)))
    alone = paired_tests([first[:, :1], rival[:, :1]], metric.score, **sizes)
    tracemalloc.start()
    beside = paired_tests([first, rival, many], metric.score, **sizes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2e6  # bytes; repeated to the common multiple of all three: 84 runs, 20 MB
    for a, b in zip(alone, beside, strict=False):
        assert (a.score, a.mean, a.margin) == pytest.approx((b.score, b.mean, b.margin))
        assert (a.bootstrap_p, a.randomization_p) == (b.bootstrap_p, b.randomization_p)


def test_seeds_are_compared_by_welchs_t_test() -> None:
    t = 3 / (1 / 3 + 1 / 3) ** 0.5  # variances 1 and 1 of three values each: four degrees of freedom
    below = 0.5 + 3 / 8 * t / (1 + t * t / 4) ** 0.5 * (1 - t * t / (12 * (1 + t * t / 4)))  # its distribution function
    assert seeds_p_value([30.0, 31.0, 32.0], [34.0, 33.0, 35.0]) == pytest.approx(2 * (1 - below))
    assert seeds_p_value([30.0, 31.0], [30.2, 30.9]) > 0.5  # type: ignore[operator]
    assert seeds_p_value([30.0], [40.0, 41.0]) is None
    assert seeds_p_value([30.0, 30.0], [40.0, 40.0]) is None
