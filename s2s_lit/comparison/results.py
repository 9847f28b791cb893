"""The result of a comparison, as values: scores and tests of each system, groups of examples, telling examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from s2s_lit.comparison.pairs import Pair, SystemScore
from s2s_lit.comparison.systems import System, code
from s2s_lit.comparison.verdicts import basis, notes, verdict
from s2s_lit.metrics.likelihood import TextLikelihood
from s2s_lit.metrics.score import Score

PERPLEXITY, WORD_PERPLEXITY = (
    next(score for score in TextLikelihood.scores if score.name == name) for name in ("perplexity", "word_perplexity")
)
COST = Score("cost", "cost in nats", "{:.1f}", higher_is_better=False)
"""What a reference costs: the negative logarithm of its probability."""


@dataclass(frozen=True)
class Group:
    """Some of the examples: what they have in common, how many they are, and each score's value for each system."""

    label: str
    size: int
    values: dict[str, list[float | None]]


@dataclass(frozen=True)
class Comparison:
    """What runs score on the same examples, and whether the differences are real.

    Attributes:
        split: The split whose predictions were compared.
        systems: What is compared; the first is what all others are tested against.
        scores: The scores that are computed, in the order in which they are shown.
        headline: The name of the score that matters most for the task.
        closeup: The score by which groups of examples are compared.
        example_score: The score by which single examples are compared.
        table: For each score's name, the score of each system; None where its runs do not keep what it needs.
        groups: For each way to group the examples, the groups.
        pairs: Each system but the first beside the first.
        bootstrap: How many resamples of the examples were drawn.
        randomizations: How many random swaps of the outputs were tried.
    """

    split: str
    systems: list[System]
    scores: list[Score]
    headline: str
    closeup: Score
    example_score: Score
    table: dict[str, list[SystemScore | None]]
    groups: dict[str, list[Group]]
    pairs: list[Pair]
    bootstrap: int
    randomizations: int

    @property
    def examples(self) -> int:
        """How many examples were compared."""
        return len(self.systems[0].predictions[0])

    @property
    def notes(self) -> list[str]:
        """What a reader should know of the runs, a sentence or two each."""
        without = [s for s, score in zip(self.systems, self.table[PERPLEXITY.name], strict=True) if score is None]
        return notes(self.systems, without, self.split)

    def as_dict(self) -> dict[str, Any]:
        """The comparison as plain data, which `json` can write."""
        return {
            "task": self.systems[0].task,
            "split": self.split,
            "sentences": self.examples,
            "bootstrap": self.bootstrap,
            "randomizations": self.randomizations,
            "systems": [self._system_as_dict(index) for index in range(len(self.systems))],
            "notes": self.notes,
            "verdicts": [f"{verdict(pair)}. {basis(pair)}" for pair in self.pairs],
            self.closeup.name: {
                title: [
                    {"group": group.label, "sentences": group.size, "values": group.values[self.closeup.name]}
                    for group in groups
                ]
                for title, groups in self.groups.items()
            },
            "contrasting_examples": [[example.as_dict() for example in pair.examples] for pair in self.pairs],
        }

    def _system_as_dict(self, index: int) -> dict[str, Any]:
        """A system's runs, what was left out, its scores, and how it differs from the first."""
        system = self.systems[index]
        pair = self.pairs[index - 1] if index else None
        return {
            "name": system.name,
            "runs": [run.run_id for run in system.runs],
            "code": [code(run) for run in system.runs],
            "left_out": {other.run.run_id: other.differences for other in system.left_out},
            "differences": pair.differences if pair else {},
            "scores": {
                score.name: {
                    **vars(found.tested),
                    "seeds": found.runs,
                    "seeds_p": found.seeds_p,
                    "difference": found.difference,
                    "significant": pair.significant(score) if pair else None,
                }
                for score in self.scores
                if (found := self.table[score.name][index]) is not None
            },
        }
