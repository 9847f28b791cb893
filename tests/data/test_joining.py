"""Rows joined into contiguous text: no token is lost or doubled, in memory and streaming; resumed within windows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from s2s_lit.data.batching.batchers import Batcher, FixedSize
from s2s_lit.data.batching.windows import TimeStepWindows
from s2s_lit.data.datamodule import DataModule
from s2s_lit.data.fields.text import TextField
from s2s_lit.data.loading.joining import joined
from s2s_lit.data.loading.loader import BatchLoader
from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.rows import Row, Rows, ShardedRows
from s2s_lit.errors import UserError
from s2s_lit.text.words import Words
from s2s_lit.types import EOS, Batch, Example

WINDOWS = TimeStepWindows(batcher=FixedSize(size=3), size=5)
TEXTS = [f"n{i}" + " y" * (i * 5 % 7) for i in range(40)]


class Lines(CorpusSource):
    """The same lines in each split."""

    def identity(self) -> dict[str, Any]:
        return {"source": "lines"}

    def splits(self, *, streaming: bool) -> list[str]:
        return ["train", "validation", "test"]

    def split(self, name: str, *, streaming: bool) -> Rows:
        return ShardedRows([("lines", _lines)])


def _lines(columns: object) -> Iterator[Row]:
    return ({"text": text} for text in TEXTS)


def data_of(batcher: Batcher = WINDOWS, *, join_tokens: int = 16, **settings: Any) -> DataModule:
    given = {"fields": {"target": TextField()}, "columns": {"target": "text"}, "tokenizer": Words(), **settings}
    data = DataModule(corpus=Lines(), batcher=batcher, join_tokens=join_tokens, eval_batch_size=2, **given)
    data.setup("fit")
    return data


def examples_of(data: DataModule, batches: BatchLoader) -> list[list[str]]:
    """The tokens of each example, put together from its windows; by the numbers of their first rows."""
    found: dict[int, list[str]] = {}
    for batch in batches:
        for row, ids, length in zip(batch.rows, batch.target.ids.tolist(), batch.target.lengths.tolist(), strict=True):
            found.setdefault(row, []).extend(data.fields.target.names(ids[:length]))
    return [found[row] for row in sorted(found)]


def text_of(examples: list[list[str]]) -> list[str]:
    return [token for example in examples for token in example]


EXPECTED = [token for text in TEXTS for token in (*text.split(), "</s>")]


def test_rows_are_joined_until_there_are_enough_tokens() -> None:
    rows = [Example({}, ids, {"target": name}, (name,), row) for row, (ids, name) in enumerate(
        [([5, 6], "a"), ([7], "b"), ([], "c"), ([8, 9, 10], "d"), ([5], "e")]
    )]  # fmt: skip
    first, second, third = joined(rows, 4)
    assert (first.target, first.texts, first.references, first.row) == (
        [5, 6, EOS, 7],
        {"target": "a\nb"},
        ("a\nb",),
        0,
    )
    assert (second.target, second.row) == ([EOS, 8, 9, 10], 2)
    assert (third.target, third.row) == ([5], 4)


@pytest.mark.parametrize("pool", [7, 1000])
@pytest.mark.parametrize("streaming", [False, True])
def test_no_token_is_lost_or_doubled(streaming: bool, pool: int) -> None:
    data = data_of(streaming=streaming, shuffle_pool=pool)
    for batches in (data.train_dataloader(), data.loader("test")):
        assert text_of(examples_of(data, batches)) == EXPECTED


def test_a_stream_that_is_one_chunk_has_the_examples_of_memory_and_others_have_borders() -> None:
    memory, whole, parts = (
        examples_of(data, data.train_dataloader())
        for data in (data_of(), data_of(streaming=True), data_of(streaming=True, shuffle_pool=9))
    )
    assert whole == memory
    assert all(len(example) >= 16 for example in memory[:-1])
    assert parts != memory
    assert any(len(example) < 16 for example in parts[:-1])  # the last of a chunk


def seen(batches: BatchLoader) -> list[tuple[tuple[int, ...], list[list[int]]]]:
    return [(batch.rows, batch.target.ids.tolist()) for batch in batches]


@pytest.mark.parametrize("streaming", [False, True])
def test_workers_and_a_resumed_pass_give_the_same_windows(streaming: bool) -> None:
    make = partial(data_of, streaming=streaming, shuffle_pool=15)
    whole = seen(make().train_dataloader())
    assert seen(make(num_workers=2).train_dataloader()) == whole
    begun = make()
    loader = begun.train_dataloader()
    batches: Iterator[Batch] = iter(loader)
    within = next(place for place, batch in enumerate(batches, 1) if batch.goes_on and place > 3)
    gone_on = make()
    gone_on.load_state_dict(begun.state_dict())
    assert seen(gone_on.train_dataloader()) == whole[within:]


def test_what_cannot_be_joined_is_said() -> None:
    both = {"source": TextField(), "target": TextField()}
    with pytest.raises(UserError, match=r"each of them belongs to an input \(source\)"):
        data_of(fields=both, columns={"source": "text", "target": "text"})
    with pytest.raises(UserError, match="at least 0, not -1"):
        data_of(join_tokens=-1)
