"""Examples in memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from s2s_lit.data.cleaning.report import SplitReport
from s2s_lit.data.fields.fields import Fields
from s2s_lit.types import Example


class EncodedCorpus(Sequence[Example]):
    """Examples in memory: the positions of each field in one block.

    Args:
        examples: Read once.
        fields: What they were encoded by.
        report: What was counted on the way.
    """

    def __init__(self, examples: Iterable[Example], fields: Fields, report: SplitReport) -> None:
        self.fields = fields
        self.report = report
        self._inputs = {name: field.storage() for name, field in fields.inputs.items()}
        self._target = fields.target.storage()
        self._texts: list[tuple[str, ...]] = []
        self._references: list[tuple[str, ...]] = []
        self._rows = array("q")
        for example in examples:
            for name, positions in example.inputs.items():
                self._inputs[name].append(positions)
            self._target.append(example.target)
            self._texts.append(tuple(example.texts.values()))
            self._references.append(example.references)
            self._rows.append(example.row)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Example:  # type: ignore[override]  # no slices
        return Example(
            {name: positions[index] for name, positions in self._inputs.items()},
            self._target[index],
            dict(zip(self.fields, self._texts[index], strict=True)),
            self._references[index],
            self._rows[index],
        )

    def lengths(self, index: int) -> tuple[int, ...]:
        """Positions of an example in a batch: of the target, its EOS counted, then of each input."""
        return self._target.length(index) + 1, *(positions.length(index) for positions in self._inputs.values())
