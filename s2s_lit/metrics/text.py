"""What every metric on texts is: a score of sums over sentences."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torchmetrics import Metric

from s2s_lit.metrics.score import Score

UNIT = 2**40
"""A whole in the units in which fractions are summed: exact in any order, 5e-13 from the truth, room for 8e6 pairs."""


class TextMetric(Metric):
    """Scores detokenized hypotheses against one or several references each.

    A metric is two pure functions, what a hypothesis counts `against` a reference, and the `score` of such counts over
    a corpus; this class owns their sums, whole numbers, so that a score depends neither on the batches nor on the
    processes that the examples came in. (A mean of fractions counts them in `UNIT`s.) Without an example it is NaN.

    A metric states, as class attributes, these and `higher_is_better`.
    """

    name: ClassVar[str]
    """What it is logged as, after `split/`."""
    label: ClassVar[str]
    """What people call it."""
    pattern: ClassVar[str] = "{:.2f}"
    """How its value is printed."""
    size: ClassVar[int]
    """How many numbers `statistics` returns."""
    full_state_update = False
    sums: Tensor
    pairs: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("sums", torch.zeros(self.size, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("pairs", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.added: list[list[int]] = []
        """What each pair of the last `update` added to the sums, for whoever sums by groups."""

    @property
    def scores(self) -> tuple[Score, ...]:
        """What is known of the one score besides its value."""
        return (Score(self.name, self.label, self.pattern, bool(self.higher_is_better)),)

    def update(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> None:
        """Add examples: `references[i]` are all that are right for `hypotheses[i]`, at least one."""
        self.added = [self.statistics(*each) for each in zip(hypotheses, references, strict=True)]
        self.sums += torch.tensor(self.added, dtype=torch.int64).reshape(-1, self.size).sum(0).to(self.sums.device)
        self.pairs += len(self.added)

    def compute(self) -> Tensor:
        score = self.score(self.sums.tolist(), int(self.pairs)) if self.pairs > 0 else math.nan
        return torch.tensor(score, dtype=torch.float64, device=self.sums.device)

    def statistics(self, hypothesis: str, references: Sequence[str]) -> list[int]:
        """What one example adds to the sums; of several references that counts which it scores best against."""
        rows = [self.against(hypothesis, reference) for reference in dict.fromkeys(references)]
        if len(rows) == 1:
            return rows[0]
        return (max if self.higher_is_better else min)(rows, key=lambda row: self.score(row, 1))

    @abstractmethod
    def against(self, hypothesis: str, reference: str) -> list[int]:
        """What a hypothesis adds to the sums if this is its only reference."""

    @abstractmethod
    def score(self, sums: list[int], pairs: int) -> float:
        """The corpus score of the sums over so many pairs."""

    def signature(self) -> str:
        """How the score was made, in a form that lets others make the same one."""
        return self.name
