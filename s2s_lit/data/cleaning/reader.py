"""From a row to the clean values of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.sources.rows import Malformed, Row, value_at
from s2s_lit.errors import UserError
from s2s_lit.types import TARGET

REFERENCES = "references"
"""Name in `data.columns` of a column with further texts that are right, one or a list."""


class Reading(NamedTuple):
    """What was read of a row: the value and the text of each field, and all texts that are right as its target."""

    values: dict[str, Any]
    texts: dict[str, str]
    references: tuple[str, ...]


class RowReader:
    """Reads the fields of rows.

    Args:
        fields: What is read.
        columns: The column of each field: a name, the dotted path of a nested one, or a number, from 0, where files
            have no header. `references` may name a column with further references. Other names are passed over.

    Raises:
        UserError: A field has no column.
    """

    def __init__(self, fields: Fields, columns: Mapping[str, str | int]) -> None:
        self.fields = fields
        self.columns = {name: str(columns[name]) for name in fields if name in columns}
        self._references = str(columns[REFERENCES]) if REFERENCES in columns else None
        if missing := [name for name in fields if name not in self.columns]:
            others = [name for name in columns if name not in fields and name != REFERENCES]
            hint = f"; no field is called {' or '.join(others)}" if others else ""
            raise UserError(
                f"data.columns says no column for the field {missing[0]}: set data.columns.{missing[0]}{hint}"
            )

    @property
    def optional_columns(self) -> list[str]:
        """The columns that rows may lack."""
        return [] if self._references is None else [self._references]

    def __call__(self, row: Row | Malformed) -> Reading | Malformed:
        """The clean values of a row, or what is wrong with it."""
        if isinstance(row, Malformed):
            return row
        values = {}
        for name, column in self.columns.items():
            value = self.fields[name].read(value_at(row, column))
            if isinstance(value, Malformed):
                return value
            values[name] = value
        texts = {name: self.fields[name].text(value) for name, value in values.items()}
        return Reading(values, texts, self._all_references(row, texts[TARGET]))

    def _all_references(self, row: Row, target: str) -> tuple[str, ...]:
        further = None if self._references is None else value_at(row, self._references)
        if further is None:
            return (target,)
        listed = further if isinstance(further, list | tuple) else [further]
        read = [self.fields[TARGET].read(text) for text in listed]
        return tuple(dict.fromkeys([target, *(text for text in read if not isinstance(text, Malformed) and text)]))
