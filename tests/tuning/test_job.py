"""A trial's runs are those of whoever works on it."""

from __future__ import annotations

import os

import pytest
from mlflow.tracking import MlflowClient
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from s2s_lit.tracking.client.runs import RunRecord
from s2s_lit.tracking.client.sweep_runs import VALUES, SweepRuns
from s2s_lit.tuning.execution.job import Job
from s2s_lit.tuning.study.opening import open_study
from s2s_lit.tuning.study.storage import open_storage
from support.fake_sweep import NAME, fake_sweep


def test_a_trial_that_is_taken_up_is_this_process_s(store: MlflowClient) -> None:
    sweep = fake_sweep(1, seeds=(1, 2))
    study = open_study(sweep, NAME, open_storage("sqlite:///sweeps.db"))
    runs = SweepRuns(dataset="none", experiment="fake", study=NAME)
    parent, trial = runs.create("sweep", NAME), study.ask()

    def job() -> Job:
        return Job(trial, sweep, runs, parent, NAME)

    def status(run_id: str) -> tuple[str, bool]:
        run = RunRecord.of(store.get_run(run_id))
        return run.status, run.tags["s2s.pid"] == str(os.getpid())

    first = job()
    seed = first.run_of(1)
    first.stopped()
    for run in (first.run_id, seed):
        assert status(run) == ("KILLED", True)
        runs.tag(run, {"s2s.pid": "1"})
    again = job()
    assert again.run_id == first.run_id
    assert status(again.run_id) == status(again.run_of(1)) == ("RUNNING", True)

    runs.tag(seed, {"s2s.pid": "1", VALUES: "{}"})
    runs.end(seed, "FINISHED")
    assert again.run_of(1) == seed
    assert status(seed) == ("FINISHED", False)  # it is over, and only the study has not been told


def test_a_trial_that_another_supervisor_has_ended_is_not_ended_again(store: MlflowClient) -> None:
    sweep = fake_sweep(1)
    study = open_study(sweep, NAME, open_storage("sqlite:///sweeps.db"))
    runs = SweepRuns(dataset="none", experiment="fake", study=NAME)
    job = Job(study.ask(), sweep, runs, runs.create("sweep", NAME), NAME)
    study.tell(job.trial, state=TrialState.PRUNED)
    with pytest.raises(UpdateFinishedTrialError, match="trial 0"):
        job.end(study, TrialState.PRUNED)
