"""A sweep that is stopped waits for no store; the same command goes on when it is there again."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.tracking.client.runs import list_runs
from s2s_lit.tuning.execution import stop
from s2s_lit.tuning.execution.stop import Stop
from support import fake_sweep
from support.mlflow_server import Proxy, mlflow_server, proxy

ROOT = Path(__file__).parents[2]
FAULTS: dict[str, Callable[[Proxy], None]] = {
    "hangs": lambda line: setattr(line, "delay_s", 1e9),
    "breaks": lambda line: setattr(line, "bad", 1.0),
}


@pytest.mark.usefixtures("heeds_signals")
def test_silence_is_an_error_once_a_stop_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop, "SILENCE_S", 1.5)
    own = Stop()
    with own.heard():
        time.sleep(2)
        signal.raise_signal(signal.SIGTERM)
        assert own.asked
        for _ in range(4):
            own.happened()
            time.sleep(0.6)
        with pytest.raises(TimeoutError, match="no answer"):
            time.sleep(20)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def stopped_while(fault: str, line: Proxy, storage: str, monkeypatch: pytest.MonkeyPatch) -> float:
    """Begins a sweep over a line that becomes faulty, kills one of its trials and stops it; the seconds that took."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'tests'}")
    monkeypatch.setenv("FAKE_TRIAL_S", "300")
    words = [sys.executable, str(ROOT / "tests/support/fake_sweep.py"), storage, "3", "2"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        while "trial   1 started" not in process.stdout.readline():
            assert process.poll() is None
        FAULTS[fault](line)
        psutil.Process(process.pid).children()[0].kill()  # of which the stores are to be told
        time.sleep(3)
        process.send_signal(signal.SIGTERM)
        since = time.monotonic()
        process.wait(120)
        return time.monotonic() - since
    finally:
        process.kill()
        line.delay_s = line.bad = 0.0
        monkeypatch.setenv("FAKE_TRIAL_S", "0.3")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("heeds_signals")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_stop_waits_for_no_tracking_store(fault: str, in_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = "sqlite:///sweeps.db"
    with mlflow_server("sqlite:///mlflow.db", in_project / "mlartifacts") as server, proxy(server.port) as line:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", line.url)
        assert stopped_while(fault, line, storage, monkeypatch) < 40
        assert fake_sweep.run(storage, 3, 2)
        trials = fake_sweep.require_agreement(storage, 3)
        assert not any("deaths" in trial.user_attrs for trial in trials)  # they were given back to the study
        assert not [run for run in list_runs() if run.status == "RUNNING"]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("heeds_signals")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_stop_waits_for_no_storage(
    fault: str, store: MlflowClient, postgres: str, postgres_server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy(postgres_server) as line:
        storage = postgres.replace(f":{postgres_server}/", f":{line.url.rpartition(':')[2]}/")
        assert stopped_while(fault, line, storage, monkeypatch) < 40
    assert fake_sweep.run(postgres, 3, 2)
    fake_sweep.require_agreement(postgres, 3)
    assert not [run for run in list_runs() if run.status == "RUNNING"]
