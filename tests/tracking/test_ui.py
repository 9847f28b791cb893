from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.runs_table import runs_table
from s2s_lit.tracking.client.ui import free_port, ui
from s2s_lit.tracking.lifecycle import tracked_run
from s2s_lit.tracking.logger import MlflowTracker


def test_a_taken_port_is_told_before_anything_starts(store: MlflowClient) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match="PORT=5001"):
            ui(port=taken.getsockname()[1])


def test_a_server_has_its_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    ui()
    assert "http://tracking:5000" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_and_leaves_no_process_behind(store: MlflowClient, tmp_path: Path, number: int) -> None:
    store.create_experiment("builtin")
    port = free_port()

    def body() -> Any:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start background jobs with it ignored
        ui(port=port)

    process = multiprocessing.get_context("fork").Process(target=body)
    process.start()
    try:
        page = wait_for(f"http://127.0.0.1:{port}/")
        assert "<html" in page
        offspring = psutil.Process(process.pid).children(recursive=True)
        assert 1 <= len(offspring) <= 3
    finally:
        os.kill(int(process.pid or 0), number)
        process.join(30)
    assert process.exitcode == 0
    assert not [p for p in offspring if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def wait_for(url: str) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def test_the_table_is_of_the_data_that_was_trained_on_last_with_its_task_s_scores(store: MlflowClient) -> None:
    assert runs_table(store) == "#/experiments?workflowType=machine_learning"
    tags = {"s2s.monitor": "val/perplexity", "s2s.signature.wer": "words", "s2s.signature.cer": "letters"}
    for dataset in ("other", "builtin"):
        with tracked_run(MlflowTracker(dataset=dataset, experiment="lstm", tags=tags)):
            pass
    experiment = store.get_experiment_by_name("builtin")
    assert experiment is not None
    address = f"#/experiments/{experiment.experiment_id}/runs?workflowType=machine_learning&viewStateShareKey=s2s"
    assert runs_table(store) == address
    experiment = store.get_experiment_by_name("builtin")
    assert experiment is not None
    shown = json.loads(experiment.tags["mlflow.sharedViewState.s2s"])["selectedColumns"]
    scores = {"metrics.`test/perplexity`", "metrics.`test/wer`", "metrics.`test/cer`", "metrics.`best/loss`"}
    assert scores <= set(shown)
