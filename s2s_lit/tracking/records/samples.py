"""Which sentences a run shows, and as what: a few that never change, whatever the split's size and order."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence

from s2s_lit.types import Prediction

SAMPLE_COLUMNS = ("step", "source", "reference", "hypothesis", "score")


class FixedSamples:
    """The `size` predictions whose sources have the smallest hashes.

    The same sentences come out in whatever order and batches a split is read, in every validation and every run on it,
    so that their rows can be compared; a sentence that stands in the split twice counts once.

    Args:
        size: How many to keep.
    """

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._heap: list[tuple[int, Prediction]] = []  # largest hash first, so keys are negated

    def add(self, prediction: Prediction) -> None:
        """Offers one prediction."""
        key = -int.from_bytes(hashlib.blake2b(prediction.source.encode(), digest_size=8).digest(), "big")
        if len(self._heap) == self._size and (self._size == 0 or key <= self._heap[0][0]):
            return
        if any(key == kept for kept, _ in self._heap):
            return
        heapq.heappush(self._heap, (key, prediction))
        if len(self._heap) > self._size:
            heapq.heappop(self._heap)

    def sorted(self) -> list[Prediction]:
        """What is kept, in an order that depends on the sentences alone."""
        return [prediction for _, prediction in sorted(self._heap, key=lambda item: -item[0])]


def sample_rows(predictions: Sequence[Prediction], step: int) -> list[list[str | float | int]]:
    """Rows under `SAMPLE_COLUMNS`."""
    return [[step, p.source, p.reference, p.hypothesis, round(p.score, 4)] for p in predictions]
