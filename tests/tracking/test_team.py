"""Slow: a server as README describes one for a team, PostgreSQL behind it; two trainings log to it at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.tracking.client.runs import CHECKPOINT, RunRecord
from support.mlflow_server import mlflow_server
from support.postgres import postgres, postgres_server  # noqa: F401
from support.tiny import TINY


def start(folder: Path, uri: str, seed: int) -> subprocess.Popen[str]:
    (folder / f"user{seed}").mkdir()
    (folder / f"user{seed}" / "experiments").symlink_to(Path(__file__).parents[2] / "experiments")
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "s2s_lit", "train", "bilstm_attn", *TINY, f"--seed={seed}"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=folder / f"user{seed}", env=environment, **pipes)  # type: ignore[call-overload]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_trainings_log_to_one_server_at_once(tmp_path: Path, postgres: str) -> None:  # noqa: F811
    with mlflow_server(postgres, tmp_path / "mlartifacts") as server:
        trainings = [start(tmp_path, server.url, seed) for seed in (1, 2)]
        said = [training.communicate(timeout=400)[0] for training in trainings]
        assert [training.returncode for training in trainings] == [0, 0], said
        client = MlflowClient(server.url)
        (experiment,) = (e for e in client.search_experiments() if e.name == "builtin")
        runs = [RunRecord.of(run) for run in client.search_runs([experiment.experiment_id])]
        assert sorted(run.params["seed"] for run in runs) == ["1", "2"]
        for run in runs:
            assert run.status == "FINISHED"
            steps = [m.step for m in client.get_metric_history(run.run_id, "train/loss")]
            assert steps == list(range(1, 7))
            assert Path(client.download_artifacts(run.run_id, CHECKPOINT)).stat().st_size > 10_000
        assert not list(tmp_path.rglob("spool-*"))
        assert list((tmp_path / "mlartifacts").rglob("best.ckpt"))
