from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.__main__ import main
from s2s_lit.errors import UserError
from s2s_lit.tracking.delivery.entries import Dataset
from s2s_lit.tracking.delivery.sync import send_left_behind
from s2s_lit.tracking.lifecycle import mark_dead_runs, tracked_run
from s2s_lit.tracking.logger import MlflowTracker

CALLS = ("log_batch", "log_artifact", "log_inputs", "set_terminated")
DATA = Dataset("builtin", "abcd1234", "training", "builtin", "{}", "", "{}")


def down(*args: Any, **kwargs: Any) -> None:
    raise ConnectionError("no route")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s2s_lit.tracking.logger._PATIENCE_S", 0.3)


def make_tracker(run_id: str | None = None) -> MlflowTracker:
    return MlflowTracker(dataset="builtin", experiment="lstm", run_id=run_id)


def log_all(tracker: MlflowTracker, steps: range) -> None:
    for step in steps:
        tracker.log_metrics({"train/loss": step / 4, "train/lr": 0.1}, step=step)
    tracker.log_params({f"key{i}": i for i in range(150)})
    tracker.set_tags({"s2s.note": "größer"})
    tracker.log_text("größer\n", "texts/note.txt")
    tracker.log_dataset(DATA)


def check_all(store: MlflowClient, run_id: str, steps: range, status: str) -> None:
    run = store.get_run(run_id)
    assert run.info.status == status
    assert steps_of(store, run_id) == list(steps)
    assert len(run.data.params) == 150
    assert run.data.tags["s2s.note"] == "größer"
    assert Path(store.download_artifacts(run_id, "texts/note.txt")).read_text() == "größer\n"
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == (DATA.name, DATA.digest)
    assert [(tag.key, tag.value) for tag in data.tags] == [("mlflow.data.context", DATA.context)]


def steps_of(store: MlflowClient, run_id: str, key: str = "train/loss") -> list[int]:
    return [metric.step for metric in store.get_metric_history(run_id, key)]


def spools() -> list[Path]:
    return list(Path("runs").rglob("spool-*"))


def in_a_process_that_is_killed(body: Callable[[Any], None]) -> Any:
    """What `body` says last through the pipe that it is given; then it sleeps until SIGKILL."""
    context = multiprocessing.get_context("fork")
    hears, says = context.Pipe(duplex=False)

    def run() -> None:
        body(says)
        time.sleep(60)

    process = context.Process(target=run)
    process.start()
    said = hears.recv()
    os.kill(int(process.pid or 0), signal.SIGKILL)
    process.join()
    return said


def killed_run(store_is_up: bool) -> str:
    """A run of 200 steps that was killed right after its last value was logged; its id."""

    def body(says: Any) -> None:
        tracker = make_tracker()
        with tracked_run(tracker), pytest.MonkeyPatch.context() as patch:
            if not store_is_up:
                for name in CALLS:
                    patch.setattr(MlflowClient, name, down)
            log_all(tracker, range(200))
            says.send(tracker.run_id)
            time.sleep(60)

    return str(in_a_process_that_is_killed(body))


@pytest.mark.parametrize("store_is_up", [True, False])
def test_the_next_command_sends_what_a_killed_process_had_logged(store: MlflowClient, store_is_up: bool) -> None:
    run_id = killed_run(store_is_up)
    assert len(spools()) == 1
    assert [run.run_id for run in mark_dead_runs()] == [run_id]
    check_all(store, run_id, range(200), "KILLED")
    assert spools() == []
    assert mark_dead_runs() == []


def test_a_run_whose_store_was_away_at_its_end_waits_and_is_finished_later(
    store: MlflowClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
        with tracked_run(make_tracker()) as tracker:
            for name in CALLS:
                patch.setattr(MlflowClient, name, down)
            log_all(tracker, range(10))
        run_id = str(tracker.run_id)
        assert f"make sync RUN={run_id[:8]}" in caplog.messages[-1]
        assert "26 values or files" in caplog.messages[-1]
        assert store.get_run(run_id).info.status == "RUNNING"
        (sent,) = send_left_behind(patience_s=0.3)
        assert sent.missing.startswith("26 entries wait: ")
        assert len(spools()) == 1
        caplog.clear()
        mark_dead_runs()
        assert caplog.messages[-1] == f"Run {run_id}: 26 entries wait: no route"
        assert "sent." not in caplog.text
    assert mark_dead_runs() == []
    assert caplog.messages[-1] == f"26 entries of run {run_id}, which waited on this disk, were sent."
    check_all(store, run_id, range(10), "FINISHED")
    assert spools() == []


def test_a_run_that_is_gone_keeps_its_entries_and_holds_nobody_up(
    store: MlflowClient, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, deleted, kept = (killed_run(store_is_up=False) for _ in range(3))
    delete_for_good(store, gone)
    store.delete_run(deleted)
    for _ in range(2):  # the second time nothing waits but what cannot be sent
        assert main(["sync"]) == 2
        said = capsys.readouterr().err
        assert f"run {gone}, for sqlite:///" in said
        assert "405 entries wait: there is no such run" in said
        assert "405 entries wait: the run was deleted" in said
        assert all(f"delete {file}" in said for file in map(Path.absolute, spools()))
        assert sorted(file.parent.name for file in spools()) == sorted([gone, deleted])
    check_all(store, kept, range(200), "KILLED")
    store.restore_run(deleted)
    mark_dead_runs()
    check_all(store, deleted, range(200), "KILLED")


def delete_for_good(store: MlflowClient, run_id: str) -> None:
    with sqlite3.connect("mlflow.db") as database:
        for table in ("tags", "params", "metrics", "latest_metrics", "runs"):
            database.execute(f"DELETE FROM {table} WHERE run_uuid = '{run_id}'")


def test_another_user_s_file_is_left_to_him(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, ours = killed_run(store_is_up=False), killed_run(store_is_up=False)
    opened = os.open

    def refuse(path: Any, *args: Any, **kwargs: Any) -> int:
        if f"{theirs}/spool-" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    monkeypatch.setattr("s2s_lit.tracking.delivery.journal.os.open", refuse)
    assert ours in [run.run_id for run in mark_dead_runs()]
    check_all(store, ours, range(200), "KILLED")
    assert [file.parent.name for file in spools()] == [theirs]


def test_a_line_that_lost_its_content_costs_only_itself(store: MlflowClient, caplog: pytest.LogCaptureFixture) -> None:
    """As after a power cut: zeros where a line was, and a line of a version that knew more."""
    run_id = killed_run(store_is_up=False)
    (file,) = spools()
    lines = file.read_bytes().splitlines(keepends=True)
    lines[11] = b"\0" * (len(lines[11]) - 1) + b"\n"
    lines[20] = b'["Verse", "x"]\n'
    file.write_bytes(b"".join(lines))
    mark_dead_runs()
    assert caplog.messages == [
        *["The tracking store refuses Unreadable: the line on the disk is damaged"] * 2,
        f"403 entries of run {run_id}, which waited on this disk, were sent.",
        f"The store refused 2 entries of run {run_id}, which are lost.",
    ]
    assert steps_of(store, run_id) == [step for step in range(200) if step != 5]
    assert spools() == []


def test_what_is_sent_twice_is_stored_once(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies after a delivery and before it could note it: all of the file comes again."""
    with tracked_run(make_tracker()) as tracker:
        with monkeypatch.context() as patch:
            patch.setattr("s2s_lit.tracking.delivery.outbox.Outbox._send_some", lambda self: False)
            log_all(tracker, range(600))
            (file,) = spools()
            content = file.read_bytes()
        tracker.finalize("success")
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    (sent,) = send_left_behind()
    assert sent.count == 1200 + 2 + 1 + 1 + 1
    check_all(store, str(tracker.run_id), range(600), "FINISHED")


def test_the_verb_sends_says_and_refuses(
    store: MlflowClient, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s2s_lit.cli.sync._PATIENCE_S", 0.3)
    assert main(["sync"]) == 0
    assert "nothing waits" in capsys.readouterr().out
    run_id = killed_run(store_is_up=False)
    assert main(["sync", "0000"]) == 0
    assert "nothing waits" in capsys.readouterr().out
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_batch", down)
        assert main(["sync", run_id[:8]]) == 2
        said = capsys.readouterr()
        assert "sent to" not in said.out
        assert f"run {run_id}, for sqlite:///" in said.err
        assert "no route" in said.err
    assert main(["sync"]) == 0
    assert f"run {run_id}: 405 entries sent" in capsys.readouterr().out
    check_all(store, run_id, range(200), "KILLED")


def test_only_what_is_for_this_store_is_sent_by_other_commands(
    store: MlflowClient, empty_database: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_id = killed_run(store_is_up=False)
    shutil.copy(empty_database, tmp_path / "other.db")
    with monkeypatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
        mark_dead_runs()
        assert len(spools()) == 1
        assert main(["sync"]) == 0  # which knows the store it was for
    check_all(store, run_id, range(200), "RUNNING")
    mark_dead_runs()
    check_all(store, run_id, range(200), "KILLED")


@pytest.mark.parametrize("store_is_up", [True, False])
def test_a_resumed_run_has_each_step_once(store: MlflowClient, store_is_up: bool) -> None:
    """Killed after step 199 it goes on from its checkpoint at 120, and repeats what it had logged since."""
    run_id = killed_run(store_is_up)
    with tracked_run(make_tracker(run_id)) as tracker:
        log_all(tracker, range(120, 250))
        tracker.log_metrics({"val/bleu": 3.0}, step=120)
    check_all(store, run_id, range(250), "FINISHED")
    assert steps_of(store, run_id, "val/bleu") == [120]  # of a metric that it never had


def test_a_run_is_not_resumed_while_its_stopped_process_still_delivers(store: MlflowClient) -> None:
    def body(says: Any) -> None:
        tracker = make_tracker()
        tracker.start()
        log_all(tracker, range(10))
        store.set_terminated(str(tracker.run_id), "KILLED")  # which a stopped process says first
        says.send(tracker.run_id)
        assert says.recv() == "deliver"
        tracker.end("KILLED")

    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=body, args=[theirs])
    process.start()
    run_id = ours.recv()
    with pytest.raises(UserError, match="still delivers"):
        make_tracker(run_id).start()
    assert store.get_run(run_id).info.status == "KILLED"
    ours.send("deliver")
    process.join()
    make_tracker(run_id).start()
    check_all(store, run_id, range(10), "RUNNING")


def test_what_waits_is_sent_before_a_run_is_resumed(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = killed_run(store_is_up=False)
    monkeypatch.setattr(MlflowClient, "log_batch", down)
    with pytest.raises(UserError, match=r"entries wait: no route"):
        make_tracker(run_id).start()
    assert len(spools()) == 1
