from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from s2s_lit.data.batchers import Batcher, FixedSize, LengthBuckets, TokenBudget
from s2s_lit.data.cleaning import Cleaner, PairReader, SplitReport
from s2s_lit.data.datamodule import Seq2SeqDataModule
from s2s_lit.data.examples import EncodedCorpus, Encoder, PieceLimits
from s2s_lit.data.filters import Duplicates
from s2s_lit.data.loader import BatchLoader, MemoryLoader, StreamLoader
from s2s_lit.data.rows import Rows
from s2s_lit.data.share import Share
from s2s_lit.data.sources import DatasetRows, HubCorpus
from s2s_lit.data.windows import TimeStepWindows
from s2s_lit.data.workers import Chunk, killed_workers_told, made_by
from s2s_lit.errors import UserError
from s2s_lit.processes import end_with
from s2s_lit.text.words import Words
from s2s_lit.types import Batch, Example
from support.ranks import each_rank

READER = PairReader("en", "de")
BATCHERS = [
    FixedSize(size=4),
    LengthBuckets(size=4, pool=12),
    TokenBudget(max_tokens=40, pool=15),
    TimeStepWindows(batcher=LengthBuckets(size=4, pool=12), size=3),
]
KINDS = ["memory", "stream"]


def given_rows(count: int, shards: int) -> Rows:
    """Sentences of many lengths, one in seven too long for the filter of `make`."""

    def texts(parts: Sequence[int]) -> object:
        for part in parts:
            for i in range(part, count, shards):
                yield {"en": f"n{i}" + " b" * (i % 7), "de": f"n{i}" + " y" * (i * 5 % 11)}

    return DatasetRows(datasets.IterableDataset.from_generator(texts, gen_kwargs={"parts": list(range(shards))}))


def make(
    kind: str,
    batcher: Batcher,
    *,
    seed: int = 0,
    shuffle: bool = True,
    count: int = 61,
    shards: int = 3,
    pool: int = 9,
    share: Share | None = None,
    workers: int = 0,
) -> BatchLoader:
    rows = given_rows(count, shards)
    encoder = Encoder(Cleaner(READER), Words().train(list(READER.pairs(rows))), PieceLimits(source=6, target=99))
    if kind == "stream":
        return StreamLoader(
            rows, encoder, batcher, shuffle=shuffle, seed=seed, pool=pool, share=share, num_workers=workers
        )
    report = SplitReport()
    corpus = EncodedCorpus(encoder(rows.numbered(range(shards)), report), report)
    return MemoryLoader(corpus, batcher, shuffle=shuffle, seed=seed, share=share, num_workers=workers)


def order(batches: object) -> list[tuple[int, ...]]:
    return [batch.rows for batch in batches]  # type: ignore[attr-defined]


def pieces(batches: Iterable[Batch]) -> int:
    """Target pieces that are trained on."""
    return sum(int(batch.target_lengths.sum()) for batch in batches)


def kept(count: int) -> list[str]:
    return sorted(f"n{i}" for i in range(count) if i % 7 < 6)


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
        assert sorted(text.split()[0] for batch in batches for text in batch.source_texts) == kept(count)
        assert len({row for batch in batches for row in batch.rows}) == len(kept(count))


@pytest.mark.parametrize("batcher", BATCHERS)
def test_streaming_gives_the_sentences_that_memory_gives(batcher: Batcher) -> None:
    def sentences(kind: str) -> set[tuple[int, str, str, tuple[int, ...]]]:
        found = set()
        for batch in make(kind, batcher):
            ids = [tuple(i[:n].tolist()) for i, n in zip(batch.source_ids, batch.source_lengths, strict=True)]
            found |= set(zip(batch.rows, batch.source_texts, batch.target_texts, ids, strict=True))
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


@pytest.mark.parametrize("kind", KINDS)
@given(
    batcher=st.sampled_from(BATCHERS),
    count=st.integers(1, 70),
    shards=st.integers(1, 5),
    ranks=st.integers(2, 4),
    pool=st.integers(1, 40),
    shuffle=st.booleans(),
)
@settings(max_examples=30)
def test_ranks_share_all_rows_in_equally_many_steps(
    kind: str, batcher: Batcher, count: int, shards: int, ranks: int, pool: int, shuffle: bool
) -> None:
    def epochs(share: Share) -> list[list[Batch]]:
        loader = make(kind, batcher, count=count, shards=shards, pool=pool, shuffle=shuffle, share=share)
        return [list(loader), list(loader)]

    of_rank = each_rank(ranks, epochs)
    alone = epochs(Share())
    for epoch in range(2):
        steps = [batches[epoch] for batches in of_rank]
        assert sum(map(pieces, steps)) == pieces(alone[epoch])
        assert len(set(map(len, steps))) == 1
        assert all(not all(batch.is_idle for batch in step) for step in zip(*steps, strict=True))
        rows = [row for batches in steps for batch in batches if batch.continues is None for row in batch.rows]
        assert len(rows) == len(set(rows)) == len(kept(count))
    orders = [[order(batches[epoch]) for batches in of_rank] for epoch in range(2)]
    if not shuffle:
        assert orders[0] == orders[1]
    elif count > 40 and pool > 5:
        assert orders[0] != orders[1]


@pytest.mark.parametrize("kind", KINDS)
def test_ranks_evaluate_the_batches_of_one_process(kind: str) -> None:
    batcher = LengthBuckets(size=4, pool=12)
    whole = order(make(kind, batcher, shuffle=False, pool=24))
    ranks = each_rank(2, lambda share: order(make(kind, batcher, shuffle=False, pool=24, share=share)))
    assert sorted(rows for rank in ranks for rows in rank if rows) == sorted(whole)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "batcher", [LengthBuckets(size=2, pool=99), TokenBudget(max_tokens=24)], ids=["length", "tokens"]
)
def test_ranks_have_about_the_same_work_at_each_step(kind: str, batcher: Batcher) -> None:
    def work(batch: Batch) -> int:
        return batch.source_ids.numel() + batch.target_ids.numel() if not batch.is_idle else 0

    def steps(share: Share) -> list[int]:
        return list(map(work, make(kind, batcher, count=400, pool=400, shards=2, share=share)))

    first, second = each_rank(2, steps)
    waited = sum(abs(one - other) for one, other in zip(first, second, strict=True))
    by_chance = sum(abs(one - other) for one, other in zip(first, second[1:] + second[:1], strict=True))
    assert waited < by_chance / 2
    assert first not in (sorted(first), sorted(first, reverse=True))


def test_ranks_read_shards_of_their_own_where_these_go_round() -> None:
    def read(share: Share) -> set[int]:
        return {row >> 32 for rows in order(make("stream", FixedSize(size=4), shards=5, share=share)) for row in rows}

    first, second = each_rank(2, read)
    assert len(first & second) == 1  # of five shards both read one
    assert first | second == set(range(5))


def test_all_ranks_report_what_they_read_together() -> None:
    def reported(share: Share) -> dict[str, object]:
        loader = make("stream", FixedSize(size=4), share=share, shuffle=shuffle)
        list(loader)
        return loader.report.as_dict()

    for shuffle in (True, False):
        one = make("stream", FixedSize(size=4), shuffle=shuffle)
        list(one)
        assert each_rank(2, reported) == [one.report.as_dict()] * 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("batcher", BATCHERS[2:])
def test_workers_change_nothing(kind: str, workers: int, batcher: Batcher) -> None:
    def all_of(batch: Batch) -> list[object]:
        found = [value.tolist() if isinstance(value, torch.Tensor) else value for value in vars(batch).values()]
        return found

    alone, helped = make(kind, batcher, count=300), make(kind, batcher, count=300, workers=workers)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for _ in range(2):
        assert list(map(all_of, helped)) == list(map(all_of, alone))
        assert helped.report.as_dict() == alone.report.as_dict()
    assert torch.equal(torch.get_rng_state(), before)  # which dropout draws from
    state = alone.state_dict() | {"batches": 7}
    alone.load_state_dict(state)
    helped.load_state_dict(state)
    assert order(islice(helped, 9)) == order(islice(alone, 9))


def test_workers_forget_no_duplicate(write: Callable[..., Path]) -> None:
    rows = [{"en": f"a {i % 50}", "de": f"x {i % 50}"} for i in range(200)]
    folder = write(train=rows, validation=rows, test=rows)
    for workers in (0, 2):
        data = Seq2SeqDataModule(
            source=HubCorpus(path="owner/name", data_dir=folder), codec=Words(), batcher=FixedSize(size=8),
            streaming=True, shuffle_pool=9, num_workers=workers, filters=[Duplicates(remember=999)],
        )  # fmt: skip
        data.setup("fit")
        assert sorted(text for batch in data.train_dataloader() for text in batch.source_texts) == sorted(
            f"a {i}" for i in range(50)
        )
        assert data.report["splits"]["train"]["dropped"] == {"duplicate_pair": 150}


def test_what_a_worker_objects_to_is_the_users_to_read() -> None:
    loader = make("stream", FixedSize(size=4), workers=2)
    assert isinstance(loader, StreamLoader)
    loader.encoder = Encoder(
        Cleaner(PairReader("en", "fr"), place=lambda number: f"row {number}"), loader.encoder.codecs
    )
    with pytest.raises(UserError, match=r"^row \d+ is malformed: missing_field \(data.strict\)$"):
        list(loader)


def test_a_worker_that_is_killed_is_told() -> None:
    def die(*arguments: Any) -> Iterator[Chunk]:
        os.kill(os.getpid(), signal.SIGKILL)
        yield from ()

    with pytest.raises(UserError, match=r"lower data\.num_workers or data\.shuffle_pool"):
        list(made_by(1, die, 0))


def endless(start: int, step: int) -> Iterator[Chunk]:
    while True:
        yield Chunk(0, ())


def test_a_worker_that_is_killed_while_this_process_computes_is_told() -> None:
    chunks = made_by(1, endless, 0)
    next(chunks)
    (worker,) = multiprocessing.active_children()

    def compute() -> None:
        worker.kill()
        time.sleep(5)

    with pytest.raises(UserError, match=r"lower data\.num_workers"), killed_workers_told():
        compute()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker is no fork")
def test_sigterm_ends_a_worker_if_its_parent_sends_it() -> None:
    """A launcher or a scheduler sends it to all processes; the training then ends by itself."""
    chunks = made_by(1, endless, 0)
    next(chunks)
    (worker,) = multiprocessing.active_children()
    subprocess.run(["kill", "-TERM", str(worker.pid)], check=True)
    for _ in range(20):
        next(chunks)
    worker.terminate()
    worker.join(5)
    assert worker.exitcode == 0


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


def test_a_stream_of_no_pair_is_told_not_read_for_ever() -> None:
    loader = make("stream", FixedSize(size=4))
    assert isinstance(loader, StreamLoader)
    loader.encoder = Encoder(loader.encoder.cleaner, loader.encoder.codecs, PieceLimits(source=0, target=0))
    with pytest.raises(UserError, match=r"no pair to train on is left of the 61 rows .*61 source_too_long"):
        list(loader)


def test_a_state_goes_on_from_its_own_chunk() -> None:
    """What came before is read, but not encoded again."""
    encoded: list[object] = []

    class Counting(Encoder):
        def __call__(self, rows: Iterable[Any], report: SplitReport) -> Iterator[Example]:
            return super().__call__([row for row in rows if encoded.append(row) is None], report)

    loader = make("stream", FixedSize(size=4), count=600, pool=20)
    batches = order(islice(loader, 101))
    state = loader.state_dict() | {"batches": 100}
    assert state["chunk"] > 10
    assert len(loader._places) < 10
    resumed = make("stream", FixedSize(size=4), count=600, pool=20)
    assert isinstance(resumed, StreamLoader)
    resumed.encoder = Counting(resumed.encoder.cleaner, resumed.encoder.codecs, resumed.encoder.limits)
    resumed.load_state_dict(state)
    assert order(islice(resumed, 1)) == batches[100:]
    assert len(encoded) == 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
def test_workers_end_with_the_process_that_started_them() -> None:
    """Also when it is killed outright, and before they have started."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        batches = iter(make("memory", FixedSize(size=4), workers=2))
        next(batches)
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading, "rb") as pipe:
        assert pipe.read() == b""  # which ends when the last process that holds the other end has gone


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
def test_a_worker_whose_starter_has_died_already_ends_at_once() -> None:
    if (child := os.fork()) == 0:
        end_with(os.getpid(), signal.SIGKILL)  # nobody is one's own parent: whoever started it is not there
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
