"""Several corpora as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.rows import SHARD_BITS, Malformed, Row, Rows
from s2s_lit.errors import UserError


class MixedCorpus(CorpusSource):
    """Rows of several corpora in fixed proportions.

    Among the first n training rows, part i has n * weight_i / sum of weights, up to one row for each other part. A
    part that ends starts over, until each has been read to its end: an epoch shows every row of every part at least
    once, and shorter parts as often as their weight asks. The mix is one shard, so that it is the same sequence of
    rows streaming and in memory. Evaluation splits are those of the parts that have one of that name, one after
    another, each row once. (The filter Duplicates also drops the repetitions; a HashSplit belongs around a part.)

    Args:
        parts: The corpora; their rows need the columns of data.columns.
        weights: How much of the mix each part makes up, in any unit.
        data_dir: The folder of those parts that do not name one themselves.
    """

    def __init__(self, *, parts: list[CorpusSource], weights: list[float], data_dir: Path | None = None) -> None:
        if len(parts) != len(weights) or not parts or min(weights) <= 0:
            raise UserError(
                f"a mix needs a weight above 0 for each part, not weights {weights} for {len(parts)} parts "
                "(data.corpus.parts, data.corpus.weights)"
            )
        self.parts = parts
        self.weights = weights
        self.look_in(data_dir)

    def look_in(self, folder: Path | None) -> None:
        super().look_in(folder)
        for part in self.parts:
            part.look_in(self.data_dir)

    def identity(self) -> dict[str, Any]:
        own: dict[str, Any] = {"source": "mix"}
        for number, (part, weight) in enumerate(zip(self.parts, self.weights, strict=True)):
            own |= {f"part{number}.weight": weight}
            own |= {f"part{number}.{name}": value for name, value in part.identity().items()}
        return own

    def splits(self, *, streaming: bool) -> Sequence[str]:
        return list(dict.fromkeys(name for part in self.parts for name in part.splits(streaming=streaming)))

    def split(self, name: str, *, streaming: bool) -> Rows:
        if name in self.aliases("train"):
            rows = [part.rows("train", streaming=streaming) for part in self.parts]  # each must have it
            return MixedRows(rows, self.weights)
        having = [part for part in self.parts if set(self.aliases(name)) & set(part.splits(streaming=streaming))]
        return JoinedRows([part.rows(name, streaming=streaming) for part in having])


class JoinedRows(Rows):
    """The rows of several, one after another; their shards, too."""

    def __init__(self, parts: Sequence[Rows]) -> None:
        self._parts = parts
        self._shards = [(part, shard) for part in parts for shard in range(part.num_shards)]
        self.num_shards = len(self._shards)

    def numbered(self, shards: Iterable[int]) -> Iterator[tuple[int, Row | Malformed]]:
        for shard in shards:
            part, own = self._shards[shard]
            shift = (shard - own) << SHARD_BITS
            for number, row in part.numbered([own]):
                yield number + shift, row

    def place(self, number: int) -> str:
        shard = number >> SHARD_BITS
        part, own = self._shards[shard]
        return part.place(number - ((shard - own) << SHARD_BITS))

    def require(self, *columns: str, optional: Sequence[str] = ()) -> None:
        for part in self._parts:
            part.require(*columns, optional=optional)


class MixedRows(Rows):
    """The rows of several in turn, by weight, until each was read to its end."""

    def __init__(self, parts: Sequence[Rows], weights: Sequence[float]) -> None:
        self._parts = parts
        self._strides = [1 / Fraction(str(weight)) for weight in weights]  # exact: no rounding adds up

    def numbered(self, shards: Iterable[int]) -> Iterator[tuple[int, Row | Malformed]]:
        for _ in shards:
            for number, (_, _, row) in enumerate(self._in_turn()):
                yield number, row

    def place(self, number: int) -> str:
        """Found by reading up to it."""
        part, own, _ = next(each for count, each in enumerate(self._in_turn()) if count == number)
        return self._parts[part].place(own)

    def require(self, *columns: str, optional: Sequence[str] = ()) -> None:
        for part in self._parts:
            part.require(*columns, optional=optional)

    def _in_turn(self) -> Iterator[tuple[int, int, Row | Malformed]]:
        """Part, the row's number there, row; next comes the part whose stride it is, as in stride scheduling."""
        streams = [part.all() for part in self._parts]
        waiting = [next(stream, None) for stream in streams]
        due = [stride / 2 for stride in self._strides]
        unfinished = {part for part, first in enumerate(waiting) if first is not None}
        there = sorted(unfinished)  # an empty part has no turn
        while unfinished:
            part = min(there, key=lambda each: due[each])
            due[part] += self._strides[part]
            first = waiting[part]
            assert first is not None
            yield part, *first
            waiting[part] = next(streams[part], None)
            if waiting[part] is None:
                unfinished.discard(part)
                streams[part] = self._parts[part].all()
                waiting[part] = next(streams[part])
