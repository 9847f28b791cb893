"""Slow: a sweep of real trainings by the command line, one of which is killed; its best experiment scores the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import optuna
import psutil
import pytest
import yaml
from mlflow.tracking import MlflowClient

from s2s_lit.tracking.client.runs import list_runs
from s2s_lit.tuning.execution.marks import marked
from s2s_lit.tuning.study import attributes
from s2s_lit.tuning.study.trials import best_trial

ROOT = Path(__file__).parents[2]
TINY = {
    "experiment": "bilstm_attn",
    "objectives": {"val/loss": "minimize"},
    "trials": 4,
    "pruner": {"name": "median", "startup_trials": 1},
    "fixed": {
        "monitor": "val/loss",
        "restart_steps": 4,
        "data.corpus.train_rows": 300,
        "data.corpus.evaluation_rows": 30,
        "data.tokenizer.vocab_size": 200,
        "model.embedding_size": 16,
        "model.decoder.feature_size": 16,
        "model.encoder.recurrence.hidden_size": 8,
        "model.decoder.recurrence.hidden_size": 8,
        "trainer.max_epochs": -1,
        "trainer.max_steps": 40,
        "trainer.val_check_interval": 5,
        "trainer.check_val_every_n_epoch": None,
        "task.search.max_length_ratio": 1,
        "task.validation_search.max_length_ratio": 1,
    },
    "space": {
        "dropout": {"float": [0.0, 0.5], "paths": ["model.encoder.dropout", "model.decoder.dropout"]},
        "schedule": {
            "branches": {
                "cosine": {
                    "set": {"task.schedule": "CosineSchedule"},
                    "space": {"task.schedule.warmup_steps": {"int": [0, 9]}},
                },
                "constant": {"set": {"task.schedule": "ConstantSchedule", "task.schedule.warmup_steps": 0}},
            }
        },
    },
    "enqueue": [{"dropout": 0.2, "schedule": "cosine", "cosine/task.schedule.warmup_steps": 3}],
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def command(*words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    program = [sys.executable, "-m", "s2s_lit", *words]
    return subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def kill_a_trial_once_it_trains(supervisor: subprocess.Popen[str]) -> str:
    """Waits for a second validation in some trial's log and kills its process; the log's name."""
    while supervisor.poll() is None:
        time.sleep(0.05)
        for log in Path("runs/sweeps/tiny").glob("*.log"):
            if 1 < log.read_text().count("step ") < 8:
                number = str(int(log.stem.rpartition("-")[2]))
                for process in psutil.Process(supervisor.pid).children():
                    if f"trial-{number}-" in process.cmdline()[-1]:
                        process.kill()
                        return log.name
    raise AssertionError("no trial trained")


def test_a_sweep_of_real_trainings(store: MlflowClient, in_project: Path) -> None:
    Path("sweeps/tiny.yaml").write_text("# Tiny.\n" + yaml.safe_dump(TINY, sort_keys=False))
    supervisor = command("sweep", "tiny", "--workers", "2")
    killed = kill_a_trial_once_it_trains(supervisor)
    said = supervisor.communicate()[0]
    assert supervisor.returncode == 0, said
    trials = optuna.load_study(study_name="tiny", storage="sqlite:///sweeps.db").trials
    assert len(trials) == 4
    assert {trial.state.name for trial in trials} <= {"COMPLETE", "PRUNED"}
    (hit,) = [trial for trial in trials if trial.user_attrs.get(attributes.RETRIES)]
    assert killed == f"tiny-{hit.number:03}.log"
    assert "goes on from its restart point" in Path("runs/sweeps/tiny", killed).read_text()
    assert trials[0].params == {"dropout": 0.2, "schedule": "cosine", "cosine/task.schedule.warmup_steps": 3}
    require_in_mlflow(store, trials)
    again = command("sweep", "tiny")
    assert again.wait() == 0
    assert len(optuna.load_study(study_name="tiny", storage="sqlite:///sweeps.db").trials) == 4
    require_same_score()


def test_trials_on_two_devices(store: MlflowClient, in_project: Path) -> None:
    """A launcher is killed: its ranks end with it, and its trial goes on; all that is pruned ends on both ranks."""
    pruner = {"name": "median", "startup_trials": 1, "warmup": 0}
    sweep = {**TINY, "trials": 3, "pruner": pruner, "fixed": {**TINY["fixed"], "trainer.devices": 2}}  # type: ignore[dict-item]
    Path("sweeps/tiny.yaml").write_text("# Tiny.\n" + yaml.safe_dump(sweep, sort_keys=False))
    supervisor = command("sweep", "tiny")
    killed = kill_a_trial_once_it_trains(supervisor)
    said = supervisor.communicate()[0]
    assert supervisor.returncode == 0, said
    trials = optuna.load_study(study_name="tiny", storage="sqlite:///sweeps.db").trials
    assert len(trials) == 3
    assert {trial.state.name for trial in trials} <= {"COMPLETE", "PRUNED"}
    (hit,) = [trial for trial in trials if trial.user_attrs.get(attributes.RETRIES)]
    assert killed == f"tiny-{hit.number:03}.log"
    require_in_mlflow(store, trials)
    for trial in trials:
        assert not marked(trial.user_attrs[attributes.PROCESS]["mark"])


def require_in_mlflow(store: MlflowClient, trials: list[optuna.trial.FrozenTrial]) -> None:
    """Parent and children, their curves, and what the sweep leaves in its run."""
    (parent,) = list_runs("tags.`s2s.kind` = 'sweep'")
    assert parent.status == "FINISHED"
    runs = {run.run_id: run for run in list_runs("tags.`s2s.kind` = 'trial'")}
    assert {run.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.run_id}
    for trial in trials:
        run = runs.pop(trial.user_attrs[attributes.RUN])
        assert run.status == "FINISHED"
        steps = [metric.step for metric in store.get_metric_history(run.run_id, "val/loss")]
        assert steps == sorted(set(steps))  # each once, though one was killed
        assert "-m s2s_lit train " in run.tags["s2s.command"]
        if trial.state.name == "COMPLETE":
            assert json.loads(run.tags["s2s.values"]) == {"val/loss": trial.value}
            assert steps == list(range(5, 41, 5))
    assert not runs
    left = {file.path for file in store.list_artifacts(parent.run_id)}
    assert {"best.yaml", "effects.json", "sweep", "sweep.yaml"} <= left
    pictures = {file.path for file in store.list_artifacts(parent.run_id, "sweep")}
    assert {"sweep/history.png", "sweep/curves.png", "sweep/parallel.png", "sweep/timeline.png"} <= pictures


def require_same_score() -> None:
    """The exported experiment, trained as any other, has the trial's value to the last digit."""
    best = best_trial(optuna.load_study(study_name="tiny", storage="sqlite:///sweeps.db"))
    assert best is not None
    trained = command("train", "tiny_best")
    said = trained.communicate()[0]
    assert trained.returncode == 0, said
    run = list_runs("tags.`s2s.kind` = 'train'")[0]
    history = MlflowClient(f"sqlite:///{Path('mlflow.db').absolute()}").get_metric_history(run.run_id, "val/loss")
    assert min(metric.value for metric in history) == best.value
