"""Seeded choices, and how rich the sentences are to be."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
Weighted = Sequence[tuple[str, float]]


class Chooser:
    """Random choices by `random.Random.random` alone, the one method whose sequence Python promises for a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._random() * len(options))]

    def weighted(self, options: Sequence[tuple[T, float]]) -> T:
        """One option; the weights sum to 1."""
        left = self._random()
        for option, weight in options:
            left -= weight
            if left < 0:
                return option
        return options[-1][0]


@dataclass(frozen=True)
class Style:
    """Probabilities of what makes a sentence longer; `compound`: of a trailing, fronted or second clause."""

    adjective: float
    second_adjective: float
    relative: float
    adverbial: float
    compound: float


PLAIN = Style(adjective=0.35, second_adjective=0.0, relative=0.0, adverbial=0.3, compound=0.0)
USUAL = Style(adjective=0.45, second_adjective=0.15, relative=0.1, adverbial=0.6, compound=0.3)
LONG = Style(adjective=0.6, second_adjective=0.3, relative=0.3, adverbial=0.75, compound=1.0)
