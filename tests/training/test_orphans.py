"""Slow: the launcher of two processes is killed at moments at which Lightning would have handled signals by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from s2s_lit.__main__ import main
from s2s_lit.tracking.client.runs import list_runs
from support.tiny import TINY

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def started(*words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    environment |= {"TMPDIR": str(Path("temporary").absolute())}
    return subprocess.Popen([sys.executable, "-m", "s2s_lit", *words], env=environment, text=True)


@pytest.mark.parametrize(("place", "rank"), [("on_train_start", 0), ("on_test_start", 1)])
def test_orphans_end_and_the_next_command_mends_what_they_left(
    place: str, rank: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process waits for the paused one, so no handler of a signal may talk to it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    (tmp_path / "temporary").mkdir()
    pause = {"class_path": "support.pauses.Pause", "init_args": {"place": place, "rank": rank, "file": "paused"}}
    launcher = started(
        "train", "bilstm_attn", *TINY, "--trainer.devices=2", f"--trainer.callbacks=[{json.dumps(pause)}]"
    )
    deadline = time.monotonic() + 600
    while not Path("paused").exists():
        assert launcher.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
    time.sleep(2.0)  # until the other one waits
    orphans = psutil.Process(launcher.pid).children(recursive=True)
    launcher.kill()
    launcher.wait()
    _, alive = psutil.wait_procs(orphans, timeout=60)
    assert not alive
    assert main(["sync"]) == 0
    assert list_runs()[0].status == "KILLED"
    if place == "on_test_start":  # in the other case there is no restart point yet
        assert started("resume", "latest").wait(600) == 0
        assert [run.status for run in list_runs()] == ["FINISHED"]
    assert not [file for file in (tmp_path / "temporary").iterdir() if "inductor" not in file.name]  # torch's cache
