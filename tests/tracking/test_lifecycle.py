from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from mlflow.tracking import MlflowClient

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.runs import CHECKPOINT, find_run, list_runs
from s2s_lit.tracking.delivery.outbox import Outbox
from s2s_lit.tracking.lifecycle import Terminated, mark_dead_runs, tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.process_identity import process_tags


def make_tracker() -> MlflowTracker:
    return MlflowTracker(dataset="builtin", experiment="lstm")


def status(store: MlflowClient, tracker: MlflowTracker) -> str:
    return str(store.get_run(str(tracker.run_id)).info.status)


class Toy(LightningModule):
    """One weight; `event` happens in the second step."""

    def __init__(self, event: Any = lambda: None) -> None:
        super().__init__()
        self.weight, self.event = torch.nn.Parameter(torch.ones(1)), event

    def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
        if index == 1:
            self.event()
        loss = (self.weight * batch).sum()
        self.log("train/loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


def fit(tracker: MlflowTracker, model: Toy) -> Trainer:
    trainer = Trainer(
        logger=tracker,
        max_epochs=1,
        log_every_n_steps=1,
        accelerator="cpu",
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, torch.ones(4, 1))
    return trainer


def test_a_run_that_ends_is_finished(store: MlflowClient) -> None:
    with tracked_run(make_tracker()) as tracker:
        assert status(store, tracker) == "RUNNING"
        fit(tracker, Toy())
        assert status(store, tracker) == "RUNNING"  # Lightning's finalize has been called
    assert status(store, tracker) == "FINISHED"
    assert [m.step for m in store.get_metric_history(str(tracker.run_id), "train/loss")] == [0, 1, 2, 3]


def raising(error: BaseException) -> Any:
    def event() -> None:
        raise error

    return event


@pytest.mark.parametrize("inside_lightning", [False, True])
@pytest.mark.parametrize(
    ("event", "outcome", "raised"),
    [
        (raising(ValueError("bad weight")), "FAILED", ValueError),
        (raising(OSError(errno.ENOSPC, "No space left on device")), "FAILED", OSError),
        (raising(SystemExit(3)), "FAILED", SystemExit),
        (raising(KeyboardInterrupt()), "KILLED", KeyboardInterrupt),
        (lambda: os.kill(os.getpid(), signal.SIGTERM), "KILLED", Terminated),
    ],
    ids=["exception", "disk full", "exit", "ctrl-c", "sigterm"],
)
def test_every_way_out(
    store: MlflowClient, inside_lightning: bool, event: Any, outcome: str, raised: type[BaseException]
) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    tracker = make_tracker()

    def body() -> None:
        with tracked_run(tracker):
            tracker.log_metrics({"seen": 1.0}, step=1)
            if inside_lightning:
                fit(tracker, Toy(event))
            else:
                event()

    with pytest.raises(raised) as caught:
        body()
    assert type(caught.value) is raised
    assert status(store, tracker) == outcome
    run = store.get_run(str(tracker.run_id))
    assert run.data.metrics["seen"] == 1.0
    if raised is OSError:
        assert "No space left" in run.data.tags["s2s.error"]
    if raised is Terminated:
        assert caught.value.code == 143
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_sigterm_in_the_very_last_batch_is_not_forgotten(store: MlflowClient) -> None:
    tracker = make_tracker()
    model = Toy()
    model.on_train_end = lambda: os.kill(os.getpid(), signal.SIGTERM)  # type: ignore[method-assign]
    with pytest.raises(Terminated), tracked_run(tracker):
        fit(tracker, model)
    assert status(store, tracker) == "KILLED"


def full(*args: Any, **kwargs: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_tracking_error_never_hides_the_real_one(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = make_tracker()
    monkeypatch.setattr("s2s_lit.tracking.logger._PATIENCE_S", 0.5)

    def body() -> None:
        with tracked_run(tracker):
            for name in ("log_batch", "log_artifact"):
                monkeypatch.setattr(MlflowClient, name, full)
            tracker.log_metrics({"seen": 1.0}, step=1)
            raise OSError(errno.ENOSPC, "No space left on device", "best.ckpt")

    with pytest.raises(OSError, match=r"best\.ckpt"):
        body()
    assert status(store, tracker) == "FAILED"  # needs little room, and room was reserved for it
    assert not Path("mlflow.db.reserve").exists()


class CtrlC(logging.Handler):
    """Presses it as soon as the user reads that it may be pressed."""

    def emit(self, record: logging.LogRecord) -> None:
        if "Ctrl-C" in record.getMessage():
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("heeds_signals")
@pytest.mark.parametrize("first", [KeyboardInterrupt, ValueError])
def test_ctrl_c_ends_a_run_whose_server_hangs(
    store: MlflowClient, monkeypatch: pytest.MonkeyPatch, first: type[BaseException]
) -> None:
    """Once for the training, once more for what it delivers; that waits on the disk then."""
    tracker, user = make_tracker(), CtrlC()
    monkeypatch.setattr("s2s_lit.tracking.logger._QUIET_S", 0.1)
    monkeypatch.setattr("s2s_lit.tracking.delivery.outbox._LONGEST_UPLOAD_S", 5.0)
    logging.getLogger("s2s_lit").addHandler(user)
    flush, answers = Outbox.flush, []

    def watched(self: Outbox, patience_s: float) -> bool:
        answers.append(signal.getsignal(signal.SIGINT))
        return flush(self, patience_s)

    monkeypatch.setattr(Outbox, "flush", watched)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts and never answers

        def hang(*args: Any, **kwargs: Any) -> None:
            with socket.create_connection(silent.getsockname()) as line:
                line.recv(1)
            raise SystemExit  # ends the thread that delivers

        def event() -> None:
            for name in ("log_batch", "set_terminated"):
                monkeypatch.setattr(MlflowClient, name, hang)
            raise first

        try:
            with pytest.raises(KeyboardInterrupt), tracked_run(tracker):
                fit(tracker, Toy(event))
        finally:
            logging.getLogger("s2s_lit").removeHandler(user)
    assert signal.SIG_IGN not in answers  # as it is while Lightning ends what was interrupted
    (spool,) = tracker.run_dir.glob("spool-*")
    assert f'["Status", "{"KILLED" if first is KeyboardInterrupt else "FAILED"}"'.encode() in spool.read_bytes()


def test_a_run_whose_values_are_lost_is_not_finished(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the store nor the disk took them."""
    tracker = make_tracker()
    monkeypatch.setattr("s2s_lit.tracking.logger._PATIENCE_S", 0.5)
    monkeypatch.setattr("s2s_lit.tracking.delivery.journal._write", full)

    def body() -> None:
        with tracked_run(tracker):
            monkeypatch.setattr(MlflowClient, "log_batch", full)
            tracker.log_metrics({"seen": 1.0}, step=1)

    with pytest.raises(UserError, match=r"could not be delivered .*No space left on device"):
        body()
    assert status(store, tracker) == "FAILED"


def test_a_run_without_its_checkpoint_is_not_finished(store: MlflowClient, tmp_path: Path) -> None:
    tracker = make_tracker()
    with pytest.raises(UserError, match=r"best\.ckpt"), tracked_run(tracker):
        tracker.log_artifact(tmp_path / "gone.ckpt", CHECKPOINT)
    assert status(store, tracker) == "FAILED"


def test_room_for_the_status_is_reserved_beside_the_store(store: MlflowClient) -> None:
    with tracked_run(make_tracker()):
        assert Path("mlflow.db.reserve").stat().st_blocks * 512 >= 200_000


@pytest.fixture
def child(store: MlflowClient) -> Iterator[tuple[multiprocessing.process.BaseProcess, str]]:
    """A process that sleeps in a run of its own, and the run's id."""

    def body(says: Any) -> None:
        with tracked_run(make_tracker()) as tracker:
            says.send(tracker.run_id)
            time.sleep(60)

    context = multiprocessing.get_context("fork")
    hears, says = context.Pipe(duplex=False)
    process = context.Process(target=body, args=(says,))
    process.start()
    yield process, hears.recv()
    process.kill()
    process.join()


def test_a_killed_process_s_run_is_marked_by_the_next_command(store: MlflowClient, child: Any) -> None:
    process, run_id = child
    with tracked_run(make_tracker()) as mine:
        assert mark_dead_runs() == []
        os.kill(process.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while not (marked := mark_dead_runs()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [run.run_id for run in marked] == [run_id]  # though nobody has waited for the child yet
        assert store.get_run(run_id).info.status == "KILLED"
        assert status(store, mine) == "RUNNING"
        assert mark_dead_runs() == []


def test_a_sigterm_from_outside_ends_the_process_with_143(store: MlflowClient, child: Any) -> None:
    process, run_id = child
    process.terminate()
    process.join(30)
    assert process.exitcode == 143
    assert store.get_run(run_id).info.status == "KILLED"


def test_a_run_is_marked_where_its_process_could_be_seen(store: MlflowClient) -> None:
    """Numbers of processes are given again, and so are names of machines."""
    mine = process_tags()
    gone = {**mine, "s2s.started": "1.0"}
    old = {tag: gone[tag] for tag in ("s2s.host", "s2s.pid", "s2s.started")}
    others = {"s2s.host": "another", "s2s.machine": "another", "s2s.boot": "another", "s2s.space": "another"}
    runs = {"mine": mine, "gone": gone, "of an earlier version": old}
    runs |= {tag: {**gone, "s2s.started": "9e9", tag: value} for tag, value in others.items()}
    for name, tags in runs.items():
        MlflowTracker(dataset="d", experiment="e", run_name=name, tags=tags).start()
    assert {run.name for run in mark_dead_runs()} == {"gone", "of an earlier version"}
    assert {run.name for run in list_runs("attributes.status = 'RUNNING'")} == {"mine", *others}


def test_marking_is_silent_where_there_is_no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert mark_dead_runs() == []


def test_a_run_outside_of_the_main_thread_has_no_signals_but_a_status(store: MlflowClient) -> None:
    def body() -> None:
        with tracked_run(make_tracker()):
            pass

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert find_run("latest").status == "FINISHED"
