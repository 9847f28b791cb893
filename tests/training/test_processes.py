"""Several processes by the command line, as users start them; slow, as each starts the program anew."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.tracking.client.runs import RunRecord, connect, list_runs
from support.tiny import TINY, TINY_LANGUAGE_MODEL

PACKAGE = Path(__file__).parents[2]
EXPERIMENTS = PACKAGE / "experiments"
TWO = "--trainer.devices=2"
ONE_STEP_AN_EPOCH = ["--data.batcher=FixedSize", "--data.batcher.size=50", "--trainer.limit_train_batches=null"]
PLAIN = [  # no dropout, so that two processes draw nothing apart
    "--model.source_embedding.dropout=0",
    "--model.target_embedding.dropout=0",
    "--model.encoder.dropout=0",
    "--model.decoder.dropout=0",
    *ONE_STEP_AN_EPOCH,
]
ENDLESS = ["--trainer.max_epochs=100000", "--trainer.check_val_every_n_epoch=100000"]
WORKERS = [
    "--data.num_workers=1",
    "--data.batcher=TokenBudget",
    "--data.batcher.max_tokens=200",
    "--trainer.max_steps=1000000",
]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "experiments").symlink_to(EXPERIMENTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


def started(*words: str, program: tuple[str, ...] = ("-m", "s2s_lit")) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", *program, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, error = process.communicate(timeout=300)
    return process.returncode, out, error


def history(run: RunRecord, name: str) -> list[float]:
    return [point.value for point in connect().get_metric_history(run.run_id, name)]


def test_two_processes_train_as_one(project: Path) -> None:
    """On the whole split a step, as its batches come in another order; later steps within what float32 rounds."""
    whole = "--trainer.limit_train_batches=1.0"
    for devices in ([TWO, "--trainer.accumulate_grad_batches=3"], ["--trainer.accumulate_grad_batches=6"]):
        status, out, error = ended(started("train", "bilstm_attn", *TINY, *PLAIN, whole, *devices))
        assert status == 0, error
        assert error == ""
        assert out.count("on the test split") == 1
    one, two = list_runs()[:2]
    assert [one.status, two.status] == ["FINISHED"] * 2
    for name in ("train/loss", "train/gradient_norm"):
        assert history(two, name) == pytest.approx(history(one, name), rel=1e-4), name
    for name, value in one.metrics.items():
        if name.startswith(("val/", "test/", "data/")):
            assert two.metrics[name] == pytest.approx(value, rel=1e-3), name
    files = [artifact(connect(), run, "predictions/test.jsonl") for run in (one, two)]
    assert len(files[0]) == len(files[1]) == 30
    assert [line["inputs"] for line in files[0]] == [line["inputs"] for line in files[1]]
    for path in ("samples/test.json", "samples/validation.json"):
        (first,), (second,) = (artifact(connect(), run, path) for run in (one, two))
        assert [row[:3] for row in first["data"]] == [row[:3] for row in second["data"]], path


def artifact(client: MlflowClient, run: RunRecord, path: str) -> list[Any]:
    return [json.loads(line) for line in Path(client.download_artifacts(run.run_id, path)).read_text().splitlines()]


def test_a_run_of_two_processes_is_evaluated_and_translates_in_one(project: Path) -> None:
    assert ended(started("train", "bilstm_attn", *TINY, TWO))[0] == 0
    (run,) = list_runs()
    assert ended(started("translate", "latest", "--text", "A man reads."))[0] == 0
    assert ended(started("evaluate", "latest"))[0] == 0
    again = list_runs()[0]
    assert again.kind == "evaluate"
    for name, value in again.metrics.items():
        if name.startswith("test/"):
            assert run.metrics[name] == pytest.approx(value, rel=1e-6), name


def test_a_language_model_of_two_processes_is_evaluated_in_one(project: Path) -> None:
    """Windows of contiguous text, dealt to both; each text of the test split counts once."""
    words = ["lm_contiguous", *TINY_LANGUAGE_MODEL, "--trainer.max_steps=9"]
    status, _, error = ended(started("train", *words, TWO))
    assert status == 0, error
    assert ended(started("evaluate", "latest"))[0] == 0
    again, run = list_runs()
    for score in ("loss", "perplexity", "word_perplexity"):
        assert again.metrics[f"test/{score}"] == pytest.approx(run.metrics[f"test/{score}"], rel=1e-5), score
    assert len(artifact(connect(), run, "predictions/test.jsonl")) == len(
        artifact(connect(), again, "predictions/test.jsonl")
    )


def test_two_launchers_are_one_training(project: Path) -> None:
    """As on two machines, which must share the run's folder for nothing."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"127.0.0.1:{free.getsockname()[1]}"
    launcher = ("-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1", "--rdzv-backend", "c10d")
    program = (*launcher, "--rdzv-endpoint", endpoint, "--local-addr", "127.0.0.1", "-m", "s2s_lit")
    nodes = [started("train", "bilstm_attn", *TINY, program=program) for _ in range(2)]
    answers = [ended(node) for node in nodes]
    assert [status for status, *_ in answers] == [0, 0], answers
    assert sorted(out.count("on the test split") for _, out, _ in answers) == [0, 1]
    (run,) = list_runs()
    assert run.status == "FINISHED"
    assert "torch.distributed.run --nnodes 2" in run.tags["s2s.command"]


def test_a_mistake_is_told_once(project: Path) -> None:
    status, out, error = ended(started("train", "bilstm_attn", *TINY, TWO, "--monitor=val/blue"))
    assert status == 2
    assert error.startswith("s2s: error: monitor=val/blue is no score")
    assert error.count("\n") == 1
    assert "Traceback" not in out + error
    assert not list_runs()  # it is refused before there is one


@pytest.mark.parametrize(
    ("sent", "to", "status", "run_status", "settings"),
    [
        (signal.SIGINT, None, 130, "KILLED", []),
        (signal.SIGTERM, None, 143, "KILLED", []),
        (signal.SIGTERM, None, 143, "KILLED", WORKERS),
        (signal.SIGKILL, None, -9, "KILLED", []),
        (signal.SIGKILL, 1, 137, "KILLED", []),
    ],
    ids=["Ctrl-C", "SIGTERM", "SIGTERM to workers, too", "the launcher is killed", "a process is killed"],
)
def test_all_processes_end_together(
    project: Path, sent: signal.Signals, to: int | None, status: int, run_status: str, settings: list[str]
) -> None:
    parent = started("train", "bilstm_attn", *TINY, TWO, *ENDLESS, *settings)
    assert parent.stdout is not None
    for line in parent.stdout:
        if line.startswith("vocabulary"):
            break
    deadline = time.monotonic() + 60
    while not any(history(run, "train/loss") for run in list_runs()) and time.monotonic() < deadline:
        time.sleep(0.5)
    processes = psutil.Process(parent.pid).children()
    assert len(processes) == 2
    by_rank = {int(process.environ()["RANK"]): process for process in processes}
    os.kill(parent.pid if to is None else by_rank[to].pid, sent)
    found, _, error = ended(parent)
    assert found == status
    assert "Traceback" not in error
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert not alive
    assert list_runs()[0].status in {run_status, "FAILED"} if to is not None else list_runs()[0].status == run_status
