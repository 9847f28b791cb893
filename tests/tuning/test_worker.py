"""Shares of a machine, and processes that end."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from jsonargparse import Namespace
from mlflow.tracking import MlflowClient

from s2s_lit.tracking.client.sweep_runs import SweepRuns
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.process_identity import identity, process_alive
from s2s_lit.tuning.execution import trial
from s2s_lit.tuning.execution.marks import MARK
from s2s_lit.tuning.execution.slots import devices_of, make_slots
from s2s_lit.tuning.execution.trial import train_tracked
from s2s_lit.tuning.execution.work import Work
from s2s_lit.tuning.execution.worker import Worker, end_left_over, said
from s2s_lit.tuning.search.objectives import Pruned

LAUNCHER = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; program = 'import time; time.sleep(100)'; "
    "print(subprocess.Popen([sys.executable, '-c', program], start_new_session=True).pid, flush=True); "
    "time.sleep('wait' in sys.argv[1:] and 100)",
]
"""Starts a process in a session of its own, as torch's launcher does, and ends before it unless it is to wait."""
SLEEPER = [sys.executable, "-c", "import time; print('asleep', flush=True); time.sleep(100)"]


def work(**changes: object) -> Work:
    settings = {
        "number": 3, "seed": 1, "experiment": "e", "dataset": "d", "overrides": [], "objectives": [],
        "run_id": "r", "address": ("127.0.0.1", 1), "key": "", "supervisor": {}, "reports": True,
    }  # fmt: skip
    return Work(**{**settings, **changes})  # type: ignore[arg-type]


def test_gpus_go_round_and_threads_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(8)))
    slots = make_slots(3, ["0", "1"])
    assert [slot.environment["CUDA_VISIBLE_DEVICES"] for slot in slots] == ["0", "1", "0"]
    assert {slot.environment["OMP_NUM_THREADS"] for slot in slots} == {"2"}
    pairs = make_slots(2, ["4", "5", "6", "7"], per_trial=2)
    assert [slot.environment["CUDA_VISIBLE_DEVICES"] for slot in pairs] == ["4,5", "6,7"]
    assert devices_of(slots) == " on GPU 0, 1 (up to 2 trials share one)"
    assert devices_of(pairs) == " on GPU 4, 5, 6, 7"
    assert devices_of(make_slots(2, [])) == ""
    assert "CUDA_VISIBLE_DEVICES" not in make_slots(1, [])[0].environment


def test_work_is_read_as_it_was_written(tmp_path: Path) -> None:
    told = work(overrides=["--a=1"], objectives=[["val/bleu", True]])
    told.write(tmp_path / "work.json")
    assert Work.read(tmp_path / "work.json") == told


def test_the_key_is_for_this_users_eyes_alone(tmp_path: Path) -> None:
    """Neither in a file that others read nor in the list of processes."""
    told = work(key="5ec7e7")
    worker = Worker(told, make_slots(1, [])[0], folder=tmp_path, log=tmp_path / "x.log", command=SLEEPER)
    (file,) = tmp_path.glob("*.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert told.key in file.read_text()
    assert told.key not in " ".join(psutil.Process(worker.identity["pid"]).cmdline())
    worker.end()


def test_a_worker_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    worker = Worker(work(), make_slots(1, [])[0], folder=tmp_path, log=tmp_path / "x.log", command=SLEEPER)
    assert worker.status is None
    assert process_alive(worker.identity)
    worker.end()
    assert worker.status == -9
    assert not process_alive(worker.identity)
    assert said(-9) == "killed by SIGKILL (out of memory?)"
    assert said(-15) == "killed by SIGTERM"


def test_a_worker_that_does_not_heed_a_stop_is_killed(tmp_path: Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(100)"
    )
    for program, ended in ((SLEEPER, -15), ([sys.executable, "-c", deaf], -9)):
        log = tmp_path / f"{ended}.log"
        worker = Worker(work(), make_slots(1, [])[0], folder=tmp_path, log=log, command=program)
        deadline = time.monotonic() + 30
        while not log.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        while worker.status is None and time.monotonic() < deadline:
            worker.stop(patience_s=0.5)
            time.sleep(0.05)
        assert worker.status == ended


@pytest.mark.parametrize("words", [["wait"], []], ids=["the launcher lives", "the launcher is dead"])
def test_processes_of_several_devices_are_ended_with_their_launcher(words: list[str], tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    worker = Worker(work(), make_slots(1, [])[0], folder=tmp_path, log=log, command=[*LAUNCHER, *words])
    deadline = time.monotonic() + 30
    while not (log.read_text().strip() and (words or worker.status is not None)) and time.monotonic() < deadline:
        time.sleep(0.05)
    started = identity(int(log.read_text()))
    assert process_alive(started)
    worker.end()
    assert worker.status == (-9 if words else 0)
    assert not process_alive(started)


def test_what_a_dead_supervisor_left_is_ended_here_and_nowhere_else() -> None:
    process = subprocess.Popen(
        SLEEPER, start_new_session=True, stdout=subprocess.PIPE, env={**os.environ, MARK: "of this test"}
    )
    try:
        record = {**identity(process.pid), "mark": "of this test"}
        end_left_over({**record, "host": "elsewhere"})
        assert process.poll() is None
        end_left_over({**record, "mark": "another"})  # the number was given again
        assert process.poll() is None
        end_left_over(record, patience_s=0.1)
        assert process.wait(5) == -9
    finally:
        process.kill()
        process.wait()


def test_a_pruned_training_leaves_no_checkpoints(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    left = []

    def pruned(config: Namespace, work: Work, tracker: MlflowTracker, *others: object) -> dict[str, float]:
        for name in ("best.ckpt", "last.ckpt"):
            tracker.run_dir.mkdir(parents=True, exist_ok=True)
            (tracker.run_dir / name).touch()
        left.append(tracker.run_dir)
        raise Pruned("pruned")

    monkeypatch.setattr(trial, "train_experiment", pruned)
    run_id = SweepRuns(dataset="builtin", experiment="e", study="s").create("trial", "s-003")
    assert train_tracked(Namespace(), work(run_id=run_id, dataset="builtin"), lambda place, value: False) is None
    assert not list(left[0].glob("*.ckpt"))
