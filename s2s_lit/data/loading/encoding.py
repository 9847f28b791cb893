"""Rows to examples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from s2s_lit.data.cleaning.cleaner import Cleaner
from s2s_lit.data.cleaning.report import SplitReport
from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.loading.joining import joined
from s2s_lit.data.sources.rows import Malformed, Row
from s2s_lit.types import TARGET, Example

_CHUNK = 512  # rows encoded in one call


@dataclass(frozen=True)
class RowEncoder:
    """Turns numbered rows into examples.

    Args:
        cleaner: Makes clean values of rows.
        fields: Make positions of values.
        limited: Whether examples are left out that training cannot use: a field of no position, or of more than its
            `max_length`. An evaluation split keeps every example, whole.
        join_tokens: Target tokens of successive rows that become one example; 0: a row is an example.
    """

    cleaner: Cleaner
    fields: Fields
    limited: bool = False
    join_tokens: int = 0

    def begin(self) -> RowEncoder:
        """For a pass over the rows that is made in several calls."""
        return replace(self, cleaner=self.cleaner.begin())

    def __call__(self, rows: Iterable[tuple[int, Row | Malformed]], report: SplitReport) -> Iterator[Example]:
        """The examples of the rows that stay, in their order; `report` counts every row as it passes."""
        examples = self._examples(rows, report)
        return joined(examples, self.join_tokens) if self.join_tokens else examples

    def _examples(self, rows: Iterable[tuple[int, Row | Malformed]], report: SplitReport) -> Iterator[Example]:
        cleaned, inputs = self.cleaner(rows, report), self.fields.inputs
        while chunk := list(islice(cleaned, _CHUNK)):
            encoded = {
                name: field.encode([read.values[name] for _, read in chunk]) for name, field in self.fields.items()
            }
            for place, (number, read) in enumerate(chunk):
                positions = {name: column[place] for name, column in encoded.items()}
                if self.limited and (reason := self._reason(positions)) is not None:
                    report.dropped[reason] += 1
                    continue
                report.kept += 1
                for name, field in self.fields.items():
                    report.encoded(name, len(positions[name]), field.unknown(positions[name]))
                marked = {name: field.marked(positions[name]) for name, field in inputs.items()}
                yield Example(marked, positions[TARGET], read.texts, read.references, number)

    def _reason(self, positions: Mapping[str, Any]) -> str | None:
        """Why training does without an example, as it is counted in the report; None keeps it."""
        for name, own in positions.items():
            if not len(own):
                return f"empty_{name}"
        for name, own in positions.items():
            if len(own) > self.fields[name].max_length:
                return f"{name}_too_long"
        return None


@dataclass(frozen=True)
class Redraw:
    """Gives training examples other tokens each epoch, for tokenizers that sample.

    What is drawn is a function of (seed, epoch, row, field): who draws it and when changes nothing.
    """

    fields: Fields
    seed: int

    def __call__(self, example: Example, epoch: int) -> Example:
        """The same example; lengths may differ, also beyond what a filter let pass."""
        drawn = {
            name: field.sample(example.texts[name], self._seed(epoch, example.row, name))
            for name, field in self.fields.items()
            if field.samples
        }
        target = drawn.pop(TARGET, example.target)
        marked = {name: self.fields[name].marked(positions) for name, positions in drawn.items()}
        return replace(example, inputs={**example.inputs, **marked}, target=target)

    def _seed(self, epoch: int, row: int, name: str) -> int:
        digest = hashlib.blake2b(f"{self.seed} {epoch} {row} {name}".encode(), digest_size=4).digest()
        return int.from_bytes(digest)
