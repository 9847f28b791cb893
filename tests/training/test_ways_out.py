"""Slow: the program itself is killed, interrupted, terminated, or meets a full disk in the middle of a training."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.__main__ import main
from s2s_lit.tracking.client.connection import connect
from s2s_lit.tracking.client.runs import RunRecord, list_runs
from support.tiny import TINY

LONG = [*TINY, "--data.batcher.size=8", "--trainer.max_epochs=10000", "--trainer.limit_train_batches=30"]
WIDE = ["--model.decoder.recurrence.hidden_size=300", "--model.encoder.recurrence.hidden_size=300"]
LONGEST_S = 240.0
ROOM = 400_000  # bytes that a file may grow beyond the store's: the store has room, the checkpoint has not


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "experiments").symlink_to(Path(__file__).parents[2] / "experiments")
    return tmp_path


def start(*arguments: str, before: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "s2s_lit", "train", "bilstm_attn", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=before)


def only_run(client: MlflowClient) -> RunRecord:
    (run,) = list_runs(client=client)
    return run


def wait_for_values(client: MlflowClient, process: subprocess.Popen[str]) -> None:
    """Until the store has step 40: the training is on its way, and more is being logged."""
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline and process.poll() is None:
        runs = list_runs(client=client)
        if runs and any(m.step >= 40 for m in client.get_metric_history(runs[0].run_id, "train/loss")):
            return
        time.sleep(0.5)
    raise AssertionError(f"no training is on its way: {process.communicate(timeout=1) if process.poll() else ''}")


@pytest.mark.slow
@pytest.mark.usefixtures("heeds_signals")
@pytest.mark.parametrize(
    ("number", "returned"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_training_that_is_stopped_is_killed_and_loses_no_value(folder: Path, number: int, returned: int) -> None:
    client = connect()
    process = start(*LONG)
    try:
        wait_for_values(client, process)
        process.send_signal(number)
        process.communicate(timeout=LONGEST_S)
    finally:
        process.kill()
    assert process.returncode == returned
    assert only_run(client).status == ("RUNNING" if number == signal.SIGKILL else "KILLED")
    assert main(["sync"]) == 0
    run = only_run(client)
    assert run.status == "KILLED"
    steps = [m.step for m in client.get_metric_history(run.run_id, "train/loss")]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) >= 40
    assert not list(folder.rglob("spool-*"))


@pytest.mark.slow
def test_a_full_disk_ends_a_training_as_failed_and_says_why(folder: Path) -> None:
    """The system refuses to let any file grow beyond a size that the store is below and the checkpoint above."""
    client = connect()
    limit = (folder / "mlflow.db").stat().st_size + ROOM
    process = start(
        *LONG, *WIDE, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    )
    try:
        _, said = process.communicate(timeout=LONGEST_S)
    finally:
        process.kill()
    assert process.returncode not in (0, None)
    assert "File too large" in said
    run = only_run(client)
    assert run.status == "FAILED"
    assert "File too large" in run.tags["s2s.error"]
