"""A supervisor with trials that train nothing: what ends how, in the study and in MLflow."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.errors import UserError
from s2s_lit.tuning import study as attributes
from support import fake_sweep

ROOT = Path(__file__).parents[2]
STORAGE = "sqlite:///sweeps.db"


@pytest.fixture
def fakes(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """Trials find the package and the tests' support."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'tests'}")
    return store


@pytest.mark.slow
def test_a_sweep_prunes_and_agrees_with_mlflow(fakes: MlflowClient) -> None:
    assert fake_sweep.run(STORAGE, 8, 4)
    trials = fake_sweep.require_agreement(STORAGE, 8)
    states = [trial.state.name for trial in trials]
    assert {"COMPLETE", "PRUNED"} == set(states)
    for trial in trials:
        if trial.state.name == "PRUNED":
            assert 0 < len(trial.intermediate_values) < 5
        else:
            assert list(trial.intermediate_values) == [200, 400, 600, 800, 1000]
            assert trial.value == pytest.approx(2 - (trial.params["x"] - 0.5) ** 2)
        (span,) = trial.user_attrs[attributes.SPANS]
        assert span["end"] > span["start"]
        assert 0 <= span["slot"] < 4


def test_the_mean_over_seeds_is_the_value(fakes: MlflowClient) -> None:
    assert fake_sweep.run(STORAGE, 1, 1, seeds=(3, 8), pruner=None)
    (trial,) = fake_sweep.require_agreement(STORAGE, 1)
    assert trial.value == pytest.approx(1 - (trial.params["x"] - 0.5) ** 2 + (3 + 8) / 2)
    seeds = fake_sweep.runs_of_kind("seed")
    assert {run.tags["s2s.seed"] for run in seeds} == {"3", "8"}
    assert {run.tags["mlflow.parentRunId"] for run in seeds} == {trial.user_attrs[attributes.RUN]}
    assert {run.status for run in seeds} == {"FINISHED"}


@pytest.mark.slow
def test_an_error_is_no_death_and_three_of_them_end_a_hopeless_sweep(
    fakes: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_TRIAL_FAILS_ABOVE", "-1")
    with pytest.raises(UserError, match="x is too large"):
        fake_sweep.run(STORAGE, 9, 3, pruner=None)
    trials = optuna.load_study(study_name=fake_sweep.NAME, storage=STORAGE).trials
    failed = [trial for trial in trials if trial.state.name == "FAIL"]
    assert len(failed) >= 3
    assert all("x is too large" in trial.user_attrs[attributes.FAILURE] for trial in failed)
    assert not any(trial.user_attrs.get(attributes.RETRIES) for trial in failed)
    assert fake_sweep.runs_of_kind("sweep")[0].status == "FAILED"


@pytest.mark.slow
def test_another_space_is_another_study(fakes: MlflowClient) -> None:
    assert fake_sweep.run(STORAGE, 1, 1)
    assert fake_sweep.run(STORAGE, 1, 1)  # there is nothing more to do
    fake_sweep.require_agreement(STORAGE, 1)
    with pytest.raises(UserError, match="--study fake_2"):
        fake_sweep.run(STORAGE, 2, 1, fixed={"model.x": 1})
