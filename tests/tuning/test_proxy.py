"""Slow: a sweep over Optuna's gRPC proxy, which is killed and started again in between."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from support import fake_sweep
from support.postgres import free_port

ROOT = Path(__file__).parents[2]
BEHIND = "sqlite:///sweeps.db"
PROGRAM = (
    "import sys; from optuna.storages import run_grpc_proxy_server; "
    "from s2s_lit.tuning.study.storage import open_storage; "
    "run_grpc_proxy_server(open_storage(sys.argv[1]), host='127.0.0.1', port=int(sys.argv[2]))"
)


def start_proxy(port: int) -> subprocess.Popen[bytes]:
    """A proxy that answers."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, BEHIND, str(port)])
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.2)
    process.kill()
    raise RuntimeError("the proxy did not come up")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_sweep_goes_on_when_its_proxy_is_started_again(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'tests'}")
    port = free_port()
    proxy = start_proxy(port)
    words = [sys.executable, str(Path(fake_sweep.__file__)), f"grpc://127.0.0.1:{port}", "6", "2"]
    sweep = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert sweep.stdout is not None
        while "trial   2 started" not in sweep.stdout.readline():
            assert sweep.poll() is None
        proxy.kill()
        proxy.wait()
        while "the storage does not answer" not in sweep.stdout.readline():
            assert sweep.poll() is None
        proxy = start_proxy(port)
        said, _ = sweep.communicate(timeout=600)
        assert sweep.returncode == 0, said
    finally:
        for process in (sweep, proxy):
            process.kill()
            process.wait()
    trials = fake_sweep.require_agreement(BEHIND, 6)
    assert not any("deaths" in trial.user_attrs for trial in trials)
