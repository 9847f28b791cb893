"""Clean text to examples."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from s2s_lit.data.cleaning.cleaner import Cleaner, SplitReport
from s2s_lit.data.sources.rows import Malformed, Row
from s2s_lit.text.tokenizer import TokenizerPair
from s2s_lit.types import EOS, Example

_CHUNK = 512  # pairs encoded in one call


@dataclass(frozen=True)
class TokenLimits:
    """What training cannot use: pairs with a side of no tokens, or of more than fit; the EOS is not counted."""

    source: int
    target: int

    def reason(self, source_ids: Sequence[int], target_ids: Sequence[int]) -> str | None:
        """Why the pair is dropped, as it is counted in the report; None keeps it."""
        if not source_ids:
            return "empty_source"
        if not target_ids:
            return "empty_target"
        if len(source_ids) > self.source:
            return "source_too_long"
        return "target_too_long" if len(target_ids) > self.target else None


@dataclass(frozen=True)
class Encoder:
    """Turns numbered rows into examples.

    Args:
        cleaner: Makes text of rows.
        tokenizers: Make tokens of text.
        limits: What training cannot use; none for an evaluation split, which keeps every pair, whole.
    """

    cleaner: Cleaner
    tokenizers: TokenizerPair
    limits: TokenLimits | None = None

    def begin(self) -> Encoder:
        """For a pass over the rows that is made in several calls."""
        return replace(self, cleaner=self.cleaner.begin())

    def __call__(self, rows: Iterable[tuple[int, Row | Malformed]], report: SplitReport) -> Iterator[Example]:
        """The examples of the rows that stay, in their order; `report` counts every row as it passes."""
        pairs = self.cleaner(rows, report)
        while chunk := list(islice(pairs, _CHUNK)):
            sources = self.tokenizers.source.encode_batch([source for _, source, _ in chunk])
            targets = self.tokenizers.target.encode_batch([target for _, _, target in chunk])
            for (number, source, target), source_ids, target_ids in zip(chunk, sources, targets, strict=True):
                report.encoded("source", source_ids)
                report.encoded("target", target_ids)
                if self.limits is not None and (reason := self.limits.reason(source_ids, target_ids)) is not None:
                    report.dropped[reason] += 1
                    continue
                report.kept += 1
                source_ids.append(EOS)
                yield Example(source_ids, target_ids, source, target, number)


@dataclass(frozen=True)
class Resegmenter:
    """Gives training sentences other tokens each epoch, for tokenizers that sample.

    What is drawn is a function of (seed, epoch, row, side): who draws it and when changes nothing.
    """

    tokenizers: TokenizerPair
    seed: int

    def __call__(self, example: Example, epoch: int) -> Example:
        """The same sentence pair; lengths may differ, also beyond what a filter let pass."""
        source = self.tokenizers.source.sample(example.source_text, self._seed(epoch, example.row, "source"))
        target = self.tokenizers.target.sample(example.target_text, self._seed(epoch, example.row, "target"))
        return replace(example, source_ids=[*source, EOS], target_ids=target)

    def _seed(self, epoch: int, row: int, side: str) -> int:
        name = f"{self.seed} {epoch} {row} {side}".encode()
        return int.from_bytes(hashlib.blake2b(name, digest_size=4).digest())


class EncodedCorpus(Sequence[Example]):
    """Examples in memory: ids as 32-bit integers in one block a side, four bytes a token.

    Args:
        examples: Read once.
        report: What their encoder counted.
    """

    def __init__(self, examples: Iterable[Example], report: SplitReport) -> None:
        self.report = report
        self._source, self._target = _Ragged(), _Ragged()
        self._texts: list[tuple[str, str]] = []
        self._rows = array("q")
        for example in examples:
            self._source.append(example.source_ids)
            self._target.append(example.target_ids)
            self._texts.append((example.source_text, example.target_text))
            self._rows.append(example.row)

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, index: int) -> Example:  # type: ignore[override]  # no slices
        return Example(self._source[index], self._target[index], *self._texts[index], self._rows[index])

    def lengths(self, index: int) -> tuple[int, int]:
        """Source and target positions of an example in a batch, EOS counted."""
        return self._source.length(index), self._target.length(index) + 1


class _Ragged:
    """Lists of integers, end to end."""

    def __init__(self) -> None:
        self._flat = array("i")
        self._ends = array("q", [0])

    def append(self, values: list[int]) -> None:
        self._flat.extend(values)
        self._ends.append(len(self._flat))

    def length(self, index: int) -> int:
        return self._ends[index + 1] - self._ends[index]

    def __getitem__(self, index: int) -> list[int]:
        return self._flat[self._ends[index] : self._ends[index + 1]].tolist()
