"""Slow: processes of a sweep are killed at random, and nothing is lost, doubled or left."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.tracking.client.runs import list_runs
from s2s_lit.tracking.lifecycle import mark_dead_runs
from s2s_lit.tuning.study import attributes
from support import fake_sweep
from support.killing import sweep_under_fire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def require_all_accounted_for(storage: str, trials: int, killed: Counter[str]) -> None:
    found = fake_sweep.require_agreement(storage, trials)
    deaths = [death for trial in found for death in trial.user_attrs.get(attributes.DEATHS, [])]
    assert sum("SIGKILL" in death for death in deaths) <= killed["trial"]
    assert deaths  # or nobody was hit
    assert not mark_dead_runs()
    assert not [run for run in list_runs(limit=10_000) if run.status == "RUNNING"]
    for trial in found:
        if trial.state.name == "COMPLETE":
            assert trial.value == pytest.approx(2 - (trial.params["x"] - 0.5) ** 2)
        if trial.state.name == "FAIL":
            assert trial.user_attrs[attributes.RETRIES] == 4


def test_thirty_kills(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_TRIAL_S", "1.5")
    killed = sweep_under_fire(
        "sqlite:///sweeps.db",
        trials=40,
        supervisors=1,
        workers=3,
        kills=32,
        supervisor_share=0.25,
        seed=1,
        pause_s=(0.5, 4.0),
    )
    print(killed, Path("supervisors.log").read_text())
    assert killed.total() >= 30
    assert killed["supervisor"] >= 3
    require_all_accounted_for("sqlite:///sweeps.db", 40, killed)


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_thirty_kills_over_a_database_server_with_four_workers(
    server: str, store: MlflowClient, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two supervisors of two workers each, as on two machines."""
    storage = request.getfixturevalue(server)
    monkeypatch.setenv("FAKE_TRIAL_S", "1.5")
    killed = sweep_under_fire(
        storage,
        trials=40,
        supervisors=2,
        workers=2,
        kills=32,
        supervisor_share=0.25,
        seed=2,
        pause_s=(0.5, 4.0),
    )
    print(killed, Path("supervisors.log").read_text())
    assert killed.total() >= 30
    assert killed["supervisor"] >= 3
    require_all_accounted_for(storage, 40, killed)
