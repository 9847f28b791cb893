"""A run's folder belongs to one process at a time; the others are told to which."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.errors import UserError
from s2s_lit.tracking.lifecycle import mark_dead_runs
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.run_folder import claim, release, require_unclaimed

CONTEXT = multiprocessing.get_context("fork")


def hold(folder: Path, ours: Any) -> None:
    claim(folder)
    ours.send("claimed")
    ours.recv()
    release(folder)
    ours.send("released")
    ours.recv()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "lstm" / "0123456789"


@pytest.fixture
def owner(folder: Path) -> Iterator[tuple[Any, Any]]:
    """Another process that has claimed the folder, and a line to it."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=hold, args=(folder, theirs))
    process.start()
    assert ours.recv() == "claimed"
    yield process, ours
    process.kill()
    process.join()


def test_another_process_is_refused_and_told_who_has_the_run(folder: Path, owner: Any) -> None:
    process, line = owner
    for asked in (claim, require_unclaimed):
        with pytest.raises(UserError) as error:
            asked(folder)
        assert re.match(
            rf"run 01234567 is in the hands of process {process.pid} on {socket.gethostname()} since "
            rf"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d, .* stop it there: kill {process.pid}$",
            str(error.value),
        )
    line.send("release")
    assert line.recv() == "released"
    assert not folder.exists()  # nothing was in it
    require_unclaimed(folder)
    assert not folder.exists()
    claim(folder)
    claim(folder)  # by the same process
    release(folder)
    assert not folder.exists()


def test_a_dead_process_holds_nothing(folder: Path, owner: Any) -> None:
    process, _ = owner
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert json.loads((folder / "owner.json").read_text())["pid"] == process.pid
    require_unclaimed(folder)
    claim(folder)
    assert json.loads((folder / "owner.json").read_text())["pid"] == os.getpid()
    release(folder)


def test_a_file_that_its_owner_removed_is_no_lock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner ends after another process has opened the file, and before that one locks it."""
    from fcntl import lockf

    claim(folder)
    opened = []

    def late(handle: int, operation: int) -> None:
        opened.append(handle)
        if len(opened) == 1:
            (folder / "owner.json").unlink()
        lockf(handle, operation)

    monkeypatch.setattr("s2s_lit.tracking.run_folder._held", {})
    monkeypatch.setattr("fcntl.lockf", late)
    claim(folder)
    assert len(opened) == 2
    assert os.fstat(opened[1]).st_ino == (folder / "owner.json").stat().st_ino
    release(folder)


def test_a_file_system_without_locks_is_warned_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def without(handle: int, operation: int) -> None:
        raise OSError("No locks available")

    monkeypatch.setattr("fcntl.lockf", without)
    claim(folder)
    assert "cannot be locked: whoever resumes this run meanwhile is not refused (No locks" in caplog.text


def test_a_run_is_its_process_s_from_start_to_end(store: MlflowClient) -> None:
    tracker = MlflowTracker(dataset="builtin", experiment="lstm")
    tracker.start()

    def refused(says: Any) -> None:
        again = MlflowTracker(dataset="builtin", experiment="lstm", run_id=tracker.run_id)
        try:
            again.start()
        except UserError as error:
            says.send(str(error))
        else:
            says.send(again.end("FINISHED"))

    def asked() -> str:
        hears, says = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=refused, args=(says,))
        process.start()
        said: str = hears.recv()
        process.join()
        return said

    assert f"in the hands of process {os.getpid()} on" in asked()
    tracker.end("KILLED")
    assert asked() == ""


def test_a_run_that_another_process_goes_on_with_is_not_marked_dead(
    store: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has claimed the run and not yet said so in the store, which still shows the dead one."""
    tracker = MlflowTracker(dataset="builtin", experiment="lstm", tags={"s2s.host": socket.gethostname()})
    tracker.start({"s2s.pid": "1", "s2s.started": "1.0"})
    run_id, folder = str(tracker.run_id), tracker.run_dir
    tracker._box.close(5.0)
    release(folder)
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=hold, args=(folder, theirs))
    process.start()
    assert ours.recv() == "claimed"
    assert mark_dead_runs() == []
    assert store.get_run(run_id).info.status == "RUNNING"
    process.kill()
    process.join()
    assert [run.run_id for run in mark_dead_runs()] == [run_id]
