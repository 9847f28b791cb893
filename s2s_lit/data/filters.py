"""Which training pairs are left out, and why."""

from __future__ import annotations

from abc import ABC, abstractmethod

from s2s_lit.types import Example


class Filter(ABC):
    """Looks at one encoded pair of the training split.

    Evaluation splits are never filtered or cut, or the scores of two models would be about different sentences.
    """

    @abstractmethod
    def reason(self, example: Example) -> str | None:
        """Why the pair is dropped, as it is counted in the report; None keeps it."""


class NotEmpty(Filter):
    """Drops pairs one side of which has no pieces."""

    def reason(self, example: Example) -> str | None:
        if example.source_length == 1:  # the EOS
            return "empty_source"
        return "empty_target" if example.target_length == 1 else None


class MaxLength(Filter):
    """Drops pairs one side of which has too many pieces, the EOS not counted.

    Args:
        source: Most pieces of a source.
        target: Most pieces of a target.
    """

    def __init__(self, *, source: int, target: int) -> None:
        self.source = source
        self.target = target

    def reason(self, example: Example) -> str | None:
        if example.source_length - 1 > self.source:
            return "source_too_long"
        return "target_too_long" if example.target_length - 1 > self.target else None
