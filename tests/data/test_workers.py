"""Worker processes: the same batches, and no worker that outlives its training or dies unseen."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from s2s_lit.data.batching.batchers import Batcher, FixedSize
from s2s_lit.data.cleaning.cleaner import Cleaner
from s2s_lit.data.cleaning.filters import Duplicates
from s2s_lit.data.cleaning.reader import RowReader
from s2s_lit.data.datamodule import DataModule
from s2s_lit.data.fields.text import TextField
from s2s_lit.data.loading.encoding import RowEncoder
from s2s_lit.data.loading.streaming import StreamLoader
from s2s_lit.data.loading.workers import Chunk, killed_workers_told, made_by
from s2s_lit.data.sources.hub import HubCorpus
from s2s_lit.errors import UserError
from s2s_lit.processes import end_with
from s2s_lit.text.words import Words
from support.loaders import BATCHERS, COLUMNS, KINDS, make, order


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("batcher", BATCHERS[2:])
def test_workers_change_nothing(kind: str, workers: int, batcher: Batcher) -> None:
    def all_of(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value.tolist()
        parts = value if isinstance(value, dict) else getattr(value, "__dict__", None)
        return value if parts is None else {name: all_of(part) for name, part in parts.items()}

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
        data = DataModule(
            corpus=HubCorpus(path="owner/name", data_dir=folder), batcher=FixedSize(size=8),
            fields={"source": TextField(), "target": TextField()}, columns={**COLUMNS}, tokenizer=Words(),
            streaming=True, shuffle_pool=9, num_workers=workers, filters=[Duplicates(remember=999)],
            allow_lost_rows=True,
        )  # fmt: skip
        data.setup("fit")
        assert sorted(texts["source"] for batch in data.train_dataloader() for texts in batch.texts) == sorted(
            f"a {i}" for i in range(50)
        )
        assert data.report["splits"]["train"]["dropped"] == {"duplicate_example": 150}


def test_what_a_worker_objects_to_is_the_users_to_read() -> None:
    loader = make("stream", FixedSize(size=4), workers=2)
    assert isinstance(loader, StreamLoader)
    reader = RowReader(loader.fields, {"source": "en", "target": "fr"})
    loader.encoder = RowEncoder(Cleaner(reader, place=lambda number: f"row {number}"), loader.fields)
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
    status = Path(f"/proc/{worker.pid}/status")
    while "ShdPnd:\t0000000000000000" not in status.read_text():  # two signals that wait would be one
        time.sleep(0.01)
    for _ in range(20):
        next(chunks)
    worker.terminate()
    worker.join(5)
    assert worker.exitcode == 0


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
