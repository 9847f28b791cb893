"""One system beside the first: the scores of both, the tests between them, and the examples on which they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from s2s_lit.comparison.systems import Differences, System, differences, same_code
from s2s_lit.metrics.score import Score
from s2s_lit.metrics.significance import Estimate
from s2s_lit.types import Prediction

LEVEL = 0.05
"""A difference is significant if p lies below."""


@dataclass(frozen=True)
class SystemScore:
    """One score of one system.

    Attributes:
        tested: The mean over the runs, with its interval and p-values over resampled examples.
        runs: The score of each run.
        difference: How much the mean lies above the first system's; None if it cannot be compared.
        seeds_p: p of the difference between the runs of both systems; None if there are too few.
        comparable: Whether the score means the same as the first system's.
    """

    tested: Estimate
    runs: list[float]
    difference: float | None
    seeds_p: float | None
    comparable: bool

    @property
    def spread(self) -> float | None:
        """Standard deviation over the runs; None for a single one."""
        return float(np.std(self.runs, ddof=1)) if len(self.runs) > 1 else None

    @property
    def significant(self) -> bool | None:
        """Whether the trained networks differ: every test that could be made says p < 0.05; None if none could."""
        if self.difference == 0:
            return False
        made = [p for p in (self.tested.bootstrap_p, self.tested.randomization_p, self.seeds_p) if p is not None]
        return all(p < LEVEL for p in made) if made else None


@dataclass(frozen=True)
class ContrastingExample:
    """An example on which two systems differ much: the prediction of each one's first run, and its score."""

    first: Prediction
    other: Prediction
    first_score: float
    other_score: float

    def as_dict(self) -> dict[str, Any]:
        """The texts and the scores."""
        return {
            "inputs": self.first.inputs,
            "references": list(self.first.references),
            "outputs": [self.first.hypothesis, self.other.hypothesis],
            "scores": [self.first_score, self.other_score],
        }


@dataclass(frozen=True)
class Pair:
    """A system beside the first.

    Attributes:
        first: The first system.
        other: The system that is tested against it.
        scores: For each score, both values; None where a system's runs do not keep what the score needs.
        examples: Those on which the other gains most, then those on which it loses most.
    """

    first: System
    other: System
    scores: dict[Score, tuple[SystemScore | None, SystemScore | None]]
    examples: list[ContrastingExample]

    @property
    def differences(self) -> Differences:
        """The settings in which the two differ, seeds aside."""
        return differences(self.first.runs[0], self.other.runs[0])

    @property
    def same_experiment(self) -> bool:
        """Whether the other is the first trained again: a difference is chance, whatever a test over examples says.

        Their settings are the same, and so is the code, unless each has several seeds, which show what code changes.
        """
        if self.first.networks == self.other.networks or self.differences:
            return False
        return same_code([self.first, self.other]) or min(len(self.first.runs), len(self.other.runs)) == 1

    def significant(self, score: Score) -> bool | None:
        """Whether the two are shown to differ in this score; None if nothing could be tested."""
        found = self.scores[score][1]
        if found is None or found.significant is None:
            return None
        return found.significant and not self.same_experiment
