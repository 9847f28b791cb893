"""A supervisor with trials that train nothing: what ends how, in the study and in MLflow."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import optuna
import pytest
from mlflow.tracking import MlflowClient
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

from s2s_lit.__main__ import main
from s2s_lit.errors import UserError
from s2s_lit.tracking.client.runs import list_runs
from s2s_lit.tuning import optuna_adapter
from s2s_lit.tuning.execution import failures
from s2s_lit.tuning.execution.channel import Message
from s2s_lit.tuning.execution.job import Job
from s2s_lit.tuning.execution.ownership import OWNER, Ownership
from s2s_lit.tuning.execution.queue import Queue
from s2s_lit.tuning.execution.supervisor import Supervisor
from s2s_lit.tuning.execution.worker import Worker
from s2s_lit.tuning.search.space import Number, Space
from s2s_lit.tuning.study import attributes
from s2s_lit.tuning.study.storage import answering, open_storage
from s2s_lit.tuning.study.trials import infeasible
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
    (parent,) = fake_sweep.runs_of_kind("sweep")
    assert {"s2s.command", "s2s.version.optuna", "s2s.machine.cpu", "mlflow.source.name"} <= parent.tags.keys()


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


def test_a_trial_that_hangs_is_ended_as_failed_and_not_tried_again(
    fakes: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hours are those of all its processes, so one that was taken up has no more than one that was not."""
    monkeypatch.setenv("FAKE_TRIAL_S", "200")
    started, go_on = [], Job.started

    def long_ago(self: Job, worker: Worker) -> None:
        started.append(worker)
        if len(started) == 1:
            self.trial.set_user_attr(attributes.SPANS, [{"start": 0.0, "end": 3599.0}])
        go_on(self, worker)

    monkeypatch.setattr(Job, "started", long_ago)
    assert fake_sweep.run(STORAGE, 1, 1, pruner=None, trial_hours=1)
    assert len(started) == 1
    (trial,) = fake_sweep.require_agreement(STORAGE, 1)
    assert trial.state == TrialState.FAIL
    assert trial.user_attrs[attributes.FAILURE] == "it took longer than trial_hours: 1"
    assert attributes.RETRIES not in trial.user_attrs
    assert fake_sweep.runs_of_kind("trial")[0].tags["s2s.error"] == "it took longer than trial_hours: 1"


@pytest.mark.slow
def test_another_space_is_another_study(fakes: MlflowClient) -> None:
    assert fake_sweep.run(STORAGE, 1, 1)
    assert fake_sweep.run(STORAGE, 1, 1)  # there is nothing more to do
    fake_sweep.require_agreement(STORAGE, 1)
    with pytest.raises(UserError, match="--study fake_2"):
        fake_sweep.run(STORAGE, 2, 1, fixed={"model.x": 1})


def test_points_that_are_added_later_are_tried_once(fakes: MlflowClient) -> None:
    first, second = {"x": 0.2}, {"x": 0.7}
    assert fake_sweep.run(STORAGE, 1, 1, enqueue=(first,))
    for _ in range(2):
        assert fake_sweep.run(STORAGE, 1, 1, enqueue=(first, second))
    assert [trial.params for trial in fake_sweep.require_agreement(STORAGE, 2)] == [first, second]


@pytest.mark.slow
@pytest.mark.usefixtures("heeds_signals")
@pytest.mark.parametrize(
    ("signals", "status"),
    [([signal.SIGINT], 3), ([signal.SIGHUP], 3), ([signal.SIGTERM, signal.SIGINT], -signal.SIGINT)],
    ids=["Ctrl-C", "a closed terminal", "at once"],
)
def test_a_stop_gives_trials_back_and_the_same_command_goes_on(
    fakes: MlflowClient, monkeypatch: pytest.MonkeyPatch, signals: list[signal.Signals], status: int
) -> None:
    monkeypatch.setenv("FAKE_TRIAL_S", "20")
    if len(signals) > 1:
        monkeypatch.setenv("FAKE_TRIAL_IS_DEAF", "1")
    words = [sys.executable, str(ROOT / "tests/support/fake_sweep.py"), STORAGE, "3", "2"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while "trial   1 started" not in process.stdout.readline():
        assert process.poll() is None
    time.sleep(3)
    for number in signals:
        process.send_signal(number)
        time.sleep(1)
    assert process.wait(60) == status
    states = [trial.state.name for trial in optuna.load_study(study_name=fake_sweep.NAME, storage=STORAGE).trials]
    assert states == ["WAITING", "WAITING"]
    assert [run.status for run in list_runs()] == ["KILLED"] * 3
    monkeypatch.setenv("FAKE_TRIAL_S", "0.3")
    assert fake_sweep.run(STORAGE, 3, 2)
    trials = fake_sweep.require_agreement(STORAGE, 3)
    assert not any(trial.user_attrs.get(attributes.RETRIES) for trial in trials)  # it was nobody's fault
    assert not [run for run in list_runs() if run.status == "RUNNING"]


def test_what_cannot_be_built_is_no_trial_and_the_search_goes_on(
    fakes: MlflowClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four such points, more than failures may be, cost no process, no run and none of the trials."""
    monkeypatch.setenv("FAKE_TRIAL_REFUSED_ABOVE", "0.5")
    points = tuple({"x": x} for x in (0.6, 0.7, 0.8, 0.9, 0.2))
    assert fake_sweep.run(STORAGE, 1, 1, pruner=None, enqueue=points)
    *refused, trained = optuna.load_study(study_name=fake_sweep.NAME, storage=STORAGE).trials
    assert all(trial.state == TrialState.PRUNED and infeasible(trial) for trial in refused)
    assert [trial.params["x"] for trial in refused] == [0.6, 0.7, 0.8, 0.9]
    assert (trained.state, trained.params) == (TrialState.COMPLETE, {"x": 0.2})
    assert len(fake_sweep.runs_of_kind("trial")) == 1
    assert capsys.readouterr().out.count("refused   x cannot be built") == 4
    assert main(["sweep-doctor"]) == 0


def test_a_space_in_which_nothing_can_be_built_ends_the_sweep(
    fakes: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "REFUSED_IN_A_ROW", 3)
    monkeypatch.setenv("FAKE_TRIAL_REFUSED_ABOVE", "-1")
    with pytest.raises(UserError, match=r"3 points in a row cannot be trained.*x cannot be built; once that is mended"):
        fake_sweep.run(STORAGE, 9, 2, pruner=None)
    monkeypatch.delenv("FAKE_TRIAL_REFUSED_ABOVE")
    space = Space((Number("x", ("x",), 0.1, 0.2, False, None, False),))
    assert fake_sweep.run(STORAGE, 1, 1, pruner=None, space=space)  # the space may be mended
    (trial,) = (t for t in optuna.load_study(study_name=fake_sweep.NAME, storage=STORAGE).trials if not infeasible(t))
    assert 0.1 <= trial.params["x"] <= 0.2


def test_a_storage_that_was_away_costs_nothing(fakes: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a retry of the trial that was running, nor more time than was asked for."""
    answer, deadlines, away = Supervisor._answer, [], [True]

    def first_fails(self: Supervisor, message: Message) -> Message:
        deadlines.append(self._deadline)
        if message.get("place") == 400 and away:
            away.pop()
            raise StorageInternalError("connection refused")
        return answer(self, message)

    monkeypatch.setattr(Supervisor, "_answer", first_fails)
    assert fake_sweep.run(STORAGE, 1, 1, pruner=None, hours=1)
    assert not away
    (trial,) = fake_sweep.require_agreement(STORAGE, 1)
    assert list(trial.intermediate_values) == [200, 400, 600, 800, 1000]
    assert attributes.RETRIES not in trial.user_attrs
    assert len(set(deadlines)) == 1


def test_ctrl_c_while_the_storage_is_away_is_an_end(fakes: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(self: Supervisor) -> bool:
        self.stop.asked = True
        raise StorageInternalError("connection refused")

    monkeypatch.setattr(Supervisor, "run", stopped)
    with pytest.raises(UserError, match=r"does not answer \(connection refused\): start it"), answering(STORAGE):
        fake_sweep.run(STORAGE, 1, 1)


@pytest.mark.parametrize("in_time", [True, False])
def test_a_trial_that_was_taken_over_is_let_go(
    in_time: bool, fakes: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it reports, and after it ended; whether that is seen before something is written or by the refusal."""
    answer = Supervisor._answer

    def taken(self: Supervisor, message: Message) -> Message:
        if message["number"] == 0 and message.get("place") == 400:
            taken_over(self, 0)
        reply = answer(self, message)
        if message["number"] == 1 and "values" in message:
            taken_over(self, 1)
        return reply

    def taken_over(self: Supervisor, number: int) -> None:
        trial = self._study.trials[number]
        optuna_adapter.set_attribute(self._study, trial, OWNER, "other")
        self._study.tell(trial.number, 7.0)

    monkeypatch.setattr(Supervisor, "_answer", taken)
    if not in_time:
        monkeypatch.setattr(Ownership, "owns", lambda self, trial: True)
    assert fake_sweep.run(STORAGE, 2, 1, pruner=None)
    trials = optuna.load_study(study_name=fake_sweep.NAME, storage=STORAGE).trials
    assert [trial.value for trial in trials] == [7.0, 7.0]
    assert list(trials[0].intermediate_values) == [200]
    assert not any(attributes.SPANS in trial.user_attrs for trial in trials)


def test_finished_is_what_has_its_trials_or_had_its_time(fakes: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Supervisor._answer

    def stopped(self: Supervisor, message: Message) -> Message:
        self.stop.asked = "values" in message
        return answer(self, message)

    monkeypatch.setattr(Supervisor, "_answer", stopped)
    assert not fake_sweep.run(STORAGE, 2, 1, pruner=None)  # though none is unfinished
    assert fake_sweep.run(STORAGE, 2, 1, pruner=None, hours=1e-9)
    assert fake_sweep.run(STORAGE, 1, 1, pruner=None)
    fake_sweep.require_agreement(STORAGE, 1)


@pytest.mark.slow
def test_failures_in_a_row_end_a_sweep_that_had_a_success(fakes: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "IN_A_ROW", 2)
    monkeypatch.setenv("FAKE_TRIAL_FAILS_ABOVE", "0.5")
    points = tuple({"x": x} for x in (0.1, 0.6, 0.2, 0.7, 0.8, 0.3))
    with pytest.raises(UserError, match=r"2 trials failed in a row.*x is too large; once that is mended"):
        fake_sweep.run(STORAGE, 6, 1, pruner=None, enqueue=points)
    states = [trial.state.name for trial in optuna.load_study(study_name=fake_sweep.NAME, storage=STORAGE).trials]
    assert states == ["COMPLETE", "FAIL", "COMPLETE", "FAIL", "FAIL", "WAITING"]


def test_two_supervisors_do_not_both_ask_for_the_last_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/sweeps.db"
    optuna.create_study(study_name="s", storage=open_storage(url))
    gate = threading.Barrier(2)
    count, counted = Queue._left, set()

    def both_counted(self: Queue) -> int:
        left = count(self)
        if self not in counted:
            counted.add(self)
            gate.wait()
        return left

    monkeypatch.setattr(Queue, "_left", both_counted)

    def ask() -> None:
        ownership = Ownership(optuna.load_study(study_name="s", storage=open_storage(url)), settle_s=1.0)
        ownership.beat()
        Queue(ownership, trials=1).next(held=())

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(optuna.load_study(study_name="s", storage=open_storage(url)).trials) == 1
