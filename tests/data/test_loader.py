from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2s_lit.data.batching.batchers import Batcher, FixedSize, LengthBuckets, TokenBudget
from s2s_lit.data.cleaning.report import SplitReport
from s2s_lit.data.loading.encoding import RowEncoder
from s2s_lit.data.loading.in_memory import MemoryLoader
from s2s_lit.data.loading.streaming import StreamLoader
from s2s_lit.errors import UserError
from s2s_lit.types import Batch, Example
from support.loaders import BATCHERS, KINDS, given_rows, kept, make, order


@pytest.mark.parametrize("kind", KINDS)
@given(
    batcher=st.sampled_from(BATCHERS),
    count=st.integers(1, 70),
    shards=st.integers(1, 5),
    pool=st.integers(1, 40),
    seed=st.integers(0, 9),
)
@settings(deadline=None)
def test_an_epoch_is_every_kept_row_once(
    kind: str, batcher: Batcher, count: int, shards: int, pool: int, seed: int
) -> None:
    loader = make(kind, batcher, count=count, shards=shards, pool=pool, seed=seed)
    for _ in range(2):
        batches = [batch for batch in loader if batch.continues is None]
        assert sorted(texts["source"].split()[0] for batch in batches for texts in batch.texts) == kept(count)
        assert len({row for batch in batches for row in batch.rows}) == len(kept(count))


@pytest.mark.parametrize("batcher", BATCHERS)
def test_streaming_gives_the_sentences_that_memory_gives(batcher: Batcher) -> None:
    def sentences(kind: str) -> set[tuple[object, ...]]:
        found: set[tuple[object, ...]] = set()
        for batch in make(kind, batcher):
            source = batch.inputs["source"]
            ids = [tuple(i[:n].tolist()) for i, n in zip(source.values, source.lengths, strict=True)]
            texts = [tuple(each.items()) for each in batch.texts]
            found |= set(zip(batch.rows, texts, batch.references, ids, strict=True))
        return found

    assert sentences("memory") == sentences("stream")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batcher", BATCHERS)
def test_order_is_a_function_of_seed_and_epoch(kind: str, batcher: Batcher) -> None:
    loader, same, other = make(kind, batcher), make(kind, batcher), make(kind, batcher, seed=1)
    first, second = order(loader), order(loader)
    assert first != second
    same.set_epoch(1)
    assert order(same) == second
    same.set_epoch(0)
    assert order(same) == first
    assert order(other) != first


def test_shards_come_in_another_order_each_epoch() -> None:
    loader = make("stream", FixedSize(size=1), shards=5, pool=1)
    shards = [list(dict.fromkeys(rows[0] >> 32 for rows in order(loader))) for _ in range(4)]
    assert all(sorted(epoch) == list(range(5)) for epoch in shards)
    assert len(set(map(tuple, shards))) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_sentences_that_share_a_batch_differ_between_epochs(kind: str) -> None:
    loader = make(kind, FixedSize(size=4))
    assert {frozenset(rows) for rows in order(loader)} != {frozenset(rows) for rows in order(loader)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batcher", BATCHERS)
def test_a_loaded_state_goes_on_with_the_very_next_batch(kind: str, batcher: Batcher) -> None:
    loader = make(kind, batcher)
    epochs = [order(loader) for _ in range(3)]
    for stop in range(len(epochs[1]) + 1):
        stopped = make(kind, batcher)
        stopped.set_epoch(1)
        assert order(islice(stopped, stop)) == epochs[1][:stop]
        resumed = make(kind, batcher)
        resumed.load_state_dict(stopped.state_dict())
        assert resumed.state_dict() == stopped.state_dict()
        assert (stopped.state_dict()["epoch"], stopped.state_dict()["batches"]) == (1, stop)
        resumed.set_epoch(1)  # as Lightning does: the epoch it already stands in
        assert order(resumed) == epochs[1][stop:]
        assert order(resumed) == epochs[2]


@pytest.mark.parametrize("kind", KINDS)
def test_an_epoch_that_was_cut_short_is_not_gone_on_with(kind: str) -> None:
    loader = make(kind, FixedSize(size=4))
    epochs = [order(loader) for _ in range(2)]
    cut = make(kind, FixedSize(size=4))
    assert order(islice(cut, 2)) == epochs[0][:2]
    cut.set_epoch(1)
    assert order(cut) == epochs[1]


@pytest.mark.parametrize("kind", KINDS)
def test_an_evaluation_loader_gives_the_same_batches_for_ever(kind: str) -> None:
    loader = make(kind, LengthBuckets(size=4, pool=16), shuffle=False)
    first = order(loader)
    loader.set_epoch(7)
    assert order(loader) == first
    (file_order,) = order(make(kind, FixedSize(size=99), shuffle=False, pool=99))
    assert list(file_order) == sorted(row for rows in first for row in rows)


def test_length_is_the_number_of_batches_where_it_does_not_change() -> None:
    for batcher in (FixedSize(size=4), LengthBuckets(size=4, pool=8)):
        loader = make("memory", batcher)
        assert len(loader) == len(list(loader)) == len(list(loader))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="TokenBudget"):
        len(make("memory", TokenBudget(max_tokens=40)))  # type: ignore[arg-type]
    for batcher in BATCHERS:
        loader = make("memory", batcher, shuffle=False)
        assert len(loader) == len(list(loader)) > 1  # type: ignore[arg-type]
    assert not hasattr(make("stream", FixedSize(size=4)), "__len__")


def test_a_stream_reports_its_last_whole_pass() -> None:
    loader = make("stream", FixedSize(size=4))
    assert isinstance(loader, StreamLoader)
    for _ in range(2):
        list(loader)
        assert (loader.report.rows, loader.report.kept) == (61, len(kept(61)))
        assert loader.report.dropped == {"source_too_long": 61 - len(kept(61))}
    whole = loader.report.as_dict()
    next(iter(loader))
    assert loader.report.as_dict() == whole
    cut = make("stream", FixedSize(size=4), count=3000)
    assert isinstance(cut, StreamLoader)
    next(iter(cut))
    assert 0 < cut.report.rows < 3000
    list(cut)
    assert cut.report.rows == 3000
    memory = make("memory", FixedSize(size=4))
    assert isinstance(memory, MemoryLoader)
    assert memory.corpus.report.as_dict() == whole


def test_first_batch_of_a_stream_does_not_wait_for_the_whole() -> None:
    loader = make("stream", FixedSize(size=4), count=3000, shards=1, pool=50)
    batch = next(iter(loader))
    assert isinstance(batch, Batch)
    assert isinstance(loader, StreamLoader)
    assert loader.report.rows < 2000


def test_a_stream_that_goes_on_reports_the_whole_pass() -> None:
    loader = make("stream", FixedSize(size=4))
    list(loader)
    whole = loader.report.as_dict()
    stopped = make("stream", FixedSize(size=4))
    list(islice(stopped, 8))
    resumed = make("stream", FixedSize(size=4))
    resumed.load_state_dict(stopped.state_dict())
    list(resumed)
    assert resumed.report.as_dict() == whole


def test_a_pass_that_goes_on_still_reports_the_whole_one_before() -> None:
    loader = make("stream", FixedSize(size=4))
    list(loader)
    whole = loader.report.as_dict()
    list(islice(loader, 3))
    resumed = make("stream", FixedSize(size=4))
    resumed.load_state_dict(loader.state_dict())
    list(islice(resumed, 3))
    assert resumed.report.as_dict() == whole


def test_a_stream_of_no_example_is_told_not_read_for_ever() -> None:
    loader = make("stream", FixedSize(size=4))
    assert isinstance(loader, StreamLoader)
    loader.fields["source"].max_length = 0
    with pytest.raises(UserError, match=r"no example to train on is left of the 61 rows .*61 source_too_long"):
        list(loader)


def test_a_state_goes_on_from_its_own_chunk() -> None:
    """What came before is read, but not encoded again."""
    encoded: list[object] = []

    class Counting(RowEncoder):
        def __call__(self, rows: Iterable[Any], report: SplitReport) -> Iterator[Example]:
            return super().__call__([row for row in rows if encoded.append(row) is None], report)

    loader = make("stream", FixedSize(size=4), count=600, pool=20)
    batches = order(islice(loader, 101))
    state = loader.state_dict() | {"batches": 100}
    assert state["chunk"] > 10
    assert len(loader._places) < 10
    resumed = make("stream", FixedSize(size=4), count=600, pool=20)
    assert isinstance(resumed, StreamLoader)
    resumed.encoder = Counting(resumed.encoder.cleaner, resumed.fields, limited=True)
    resumed.load_state_dict(state)
    assert order(islice(resumed, 1)) == batches[100:]
    assert len(encoded) == 20


def test_in_memory_nothing_goes_on_with_other_data() -> None:
    stopped = make("memory", FixedSize(size=4))
    list(islice(stopped, 3))
    with pytest.raises(UserError, match=r"other texts than when .* \(60 rows, 61 then\).*--start_from"):
        make("memory", FixedSize(size=4), count=60).load_state_dict(stopped.state_dict())


def test_a_stream_whose_data_changes_says_so_at_the_end_of_a_pass(caplog: pytest.LogCaptureFixture) -> None:
    loader = make("stream", FixedSize(size=4))
    assert isinstance(loader, StreamLoader)
    for count in (61, 61, 60, 60):
        loader.rows = given_rows(count, 3)
        list(loader)
    assert caplog.messages == ["The data has changed: 60 rows in this pass, 61 before."]


def test_a_validation_that_was_cut_short_is_no_change_of_data(caplog: pytest.LogCaptureFixture) -> None:
    loader = make("stream", FixedSize(size=4), shuffle=False)
    list(islice(loader, 2))  # Lightning's num_sanity_val_steps
    loader.set_epoch(1)
    list(loader)
    assert not caplog.messages
