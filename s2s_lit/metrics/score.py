"""What is known of a score besides its value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Score:
    """One number that a metric gives: `name` is what it is logged as after `split/`, `label` and `pattern` how it is
    printed."""

    name: str
    label: str
    pattern: str
    higher_is_better: bool

    def printed(self, value: float) -> str:
        return self.pattern.format(value)


def scores_of(metrics: Mapping[str, Any], split: str) -> dict[str, float]:
    """The scores of one split by their bare names, out of all that was logged as `split/name`."""
    return {key.removeprefix(f"{split}/"): float(v) for key, v in metrics.items() if key.startswith(f"{split}/")}
