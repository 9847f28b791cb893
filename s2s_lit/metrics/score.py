"""What is known of a score besides its value."""

from __future__ import annotations

from dataclasses import dataclass


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
