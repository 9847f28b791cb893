"""Rows to clean values: columns, normalization, filters, and the count of what happened to each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from s2s_lit.data.cleaning.filters import Filter, Passing
from s2s_lit.data.cleaning.reader import Reading, RowReader
from s2s_lit.data.cleaning.report import SplitReport
from s2s_lit.data.sources.rows import Malformed, Row
from s2s_lit.errors import UserError


@dataclass(frozen=True)
class Cleaner:
    """Turns numbered rows into clean values.

    Args:
        reader: Finds the values.
        filters: Which examples are left out; none for an evaluation split.
        place: Tells where a row stands. Given, a malformed row is an error; otherwise it is counted and left out.
    """

    reader: RowReader
    filters: Sequence[Filter] = ()
    place: Callable[[int], str] | None = None
    passing: Passing | None = None
    """The pass over the split that all calls belong to; without, each call is a pass."""

    def begin(self) -> Cleaner:
        """For a pass over the rows that is made in several calls."""
        return replace(self, passing=Passing(self.filters))

    @property
    def remembers(self) -> bool:
        """Whether what it keeps of a row depends on the rows before it."""
        return any(each.remembers for each in self.filters)

    def __call__(
        self, rows: Iterable[tuple[int, Row | Malformed]], report: SplitReport
    ) -> Iterator[tuple[int, Reading]]:
        """Number and values of the rows that stay, in their order; `report` counts every row as it passes.

        Raises:
            UserError: A row is malformed, and that is an error.
        """
        filters = self.passing or Passing(self.filters)
        for number, row in rows:
            report.rows += 1
            read = self.reader(row)
            if isinstance(read, Malformed):
                if self.place is not None:
                    raise UserError(f"{self.place(number)} is malformed: {read.reason} (data.strict)")
                report.malformed[read.reason] += 1
                continue
            report.read(read.texts.values())
            if self.filters and (reason := filters.reason(read.texts)) is not None:
                report.dropped[reason] += 1
                continue
            yield number, read
