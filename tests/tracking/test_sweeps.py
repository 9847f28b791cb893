"""A sweep's runs, and a store that does not answer."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST

from s2s_lit.errors import UserError
from s2s_lit.tracking.client import sweep_runs as sweeps
from s2s_lit.tracking.client.sweep_runs import SweepRuns


class Store:
    """Fails as often as it is told to."""

    tracking_uri = "http://127.0.0.1:1"

    def __init__(self, failures: int, code: int | None = None) -> None:
        self.left, self.code = failures, code

    def get_experiment_by_name(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(experiment_id="1", lifecycle_stage="active")

    def set_terminated(self, run_id: str, status: str) -> None:
        self.left -= 1
        if self.left >= 0:
            raise MlflowException("refused", **({} if self.code is None else {"error_code": self.code}))


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(sweeps.time, "sleep", slept.append)
    return slept


def runs_in(store: Store, monkeypatch: pytest.MonkeyPatch) -> SweepRuns:
    monkeypatch.setattr(sweeps, "connect", lambda: store)
    return SweepRuns(dataset="none", experiment="e", study="s")


def test_a_store_that_is_away_for_hours_is_waited_for_with_signs_of_life(
    slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(2000)
    runs = runs_in(store, monkeypatch)
    beats = []
    with runs.waiting_with(lambda: not beats.append(1)):  # type: ignore[func-returns-value]
        runs.end("r", "FINISHED")
    assert len(beats) == len(slept) - 1 == 2000
    assert sum(slept) > 4 * 3600
    assert max(slept) <= 10  # more rarely than a supervisor must beat it must not be


@pytest.mark.parametrize("code", [INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST])
def test_what_the_store_refuses_is_not_asked_again(
    code: int, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="refused"):
        runs_in(Store(2, code), monkeypatch).end("r", "FINISHED")
    assert not any(slept)


def test_who_waits_no_longer_gets_an_error_from_each_further_call(
    slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(5)
    runs, answers = runs_in(store, monkeypatch), [True, False]
    with runs.waiting_with(lambda: answers.pop(0)), pytest.raises(UserError, match="does not answer"):
        runs.end("r", "FINISHED")
    with pytest.raises(UserError, match="does not answer"):
        runs.end("r", "FINISHED")
    assert store.left == 3
