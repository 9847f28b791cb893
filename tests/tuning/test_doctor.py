"""What crashes leave behind is found, and mended on request."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import optuna
import pytest
from mlflow.tracking import MlflowClient
from optuna.exceptions import StorageInternalError

from s2s_lit.__main__ import main
from s2s_lit.errors import UserError
from s2s_lit.tracking.client.runs import list_runs
from s2s_lit.tracking.client.sweep_runs import SweepRuns
from s2s_lit.tuning.execution import checkup, ownership
from s2s_lit.tuning.execution.ownership import SUPERVISOR, Ownership
from s2s_lit.tuning.study import attributes
from s2s_lit.tuning.study.opening import open_study
from s2s_lit.tuning.study.storage import open_storage
from support.fake_sweep import NAME, fake_sweep

STORAGE = "sqlite:///sweeps.db"


class Sick:
    """A study whose supervisor was killed in the middle of everything."""

    def __init__(self) -> None:
        self.study = open_study(fake_sweep(9), NAME, open_storage(STORAGE))
        self.runs = SweepRuns(dataset="none", experiment="fake", study=NAME)
        self.parent = self.runs.create("sweep", NAME)
        self.study.set_user_attr(attributes.PARENT, self.parent)
        self.dead = Ownership(self.study)

    def trial(self, state: str | None = None, *, run_status: str = "RUNNING") -> tuple[optuna.Trial, str]:
        trial = self.study.ask()
        trial.suggest_float("x", 0, 1)
        self.dead.take(trial)
        run = self.runs.create("trial", "t", self.parent, {"s2s.trial": str(trial.number)})
        trial.set_user_attr(attributes.RUN, run)
        if run_status != "RUNNING":
            self.runs.end(run, run_status)
        if state == "COMPLETE":
            self.study.tell(trial, 1.0)
        elif state is not None:
            self.study.tell(trial, state=getattr(optuna.trial.TrialState, state))
        return trial, run


@pytest.fixture
def sick(store: MlflowClient) -> Sick:
    return Sick()


def examined(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    status = main(["sweep-doctor", *words])
    return status, capsys.readouterr().out


def test_a_healthy_study_needs_nothing(sick: Sick, capsys: pytest.CaptureFixture[str]) -> None:
    sick.runs.end(sick.parent, "FINISHED")
    _, run = sick.trial("COMPLETE", run_status="FINISHED")
    sick.runs.tag(run, {"s2s.state": "COMPLETE"})
    assert examined(capsys) == (0, "study fake: nothing to mend\n")


def test_zombies_orphans_and_disagreements_are_found_and_mended(sick: Sick, capsys: pytest.CaptureFixture[str]) -> None:
    zombie, _ = sick.trial()
    _, untold = sick.trial("FAIL")
    _, other = sick.trial("COMPLETE", run_status="KILLED")
    orphan = sick.runs.create("trial", "t", sick.parent, {"s2s.trial": "0"})
    second = sick.runs.create("sweep", NAME)
    status, said = examined(capsys)
    assert status == 1
    assert f"trial {zombie.number} is RUNNING, but its supervisor ({sick.dead.name}) is dead" in said
    assert f"trial 1 is FAIL, but its run {untold[:8]} is RUNNING" in said
    assert f"trial 2 is COMPLETE, but its run {other[:8]} is KILLED" in said
    assert f"run {orphan[:8]} says it is trial 0, but no trial is" in said
    assert f"run {second[:8]} stands for this study, too" in said
    assert f"the sweep's run {sick.parent[:8]} is RUNNING, but no supervisor lives" in said
    status, said = examined(capsys, "--mend")
    assert (status, said.count("mended")) == (0, 6)
    assert examined(capsys)[0] == 0
    statuses = {run.run_id: run.status for run in list_runs()}
    assert statuses[untold] == "FAILED"
    assert statuses[other] == "FINISHED"
    assert statuses[orphan] == statuses[second] == statuses[sick.parent] == "KILLED"
    assert sick.study.ask().number == zombie.number  # it is in the queue again


def test_what_ran_before_the_machine_was_started_again_is_dead_at_once(
    sick: Sick, capsys: pytest.CaptureFixture[str]
) -> None:
    sick.dead.beat()
    sick.trial()
    key = SUPERVISOR + sick.dead.name
    sick.study.set_user_attr(key, {**sick.study.user_attrs[key], "boot": "the one before", "started": 0.0})
    status, said = examined(capsys)
    assert status == 1
    assert f"trial 0 is RUNNING, but its supervisor ({sick.dead.name}) is dead" in said
    assert "but no supervisor lives" in said
    assert "watching" not in said


def test_another_machine_is_watched_until_it_is_known_to_be_dead(
    sick: Sick, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ownership, "_LOOK_S", 0.02)
    monkeypatch.setattr(checkup, "Ownership", partial(Ownership, grace_s=0.1))
    sick.dead.beat()
    sick.trial()
    key = SUPERVISOR + sick.dead.name
    sick.study.set_user_attr(key, {**sick.study.user_attrs[key], "host": "elsewhere"})
    status, said = examined(capsys)
    assert status == 1
    assert said.count("watching for up to 0 s whether supervisors that are not of this machine live") == 1
    assert "trial 0 is RUNNING, but its supervisor" in said
    assert "but no supervisor lives" in said


def test_an_earlier_sweep_of_the_same_name_is_no_orphan(sick: Sick, capsys: pytest.CaptureFixture[str]) -> None:
    sick.runs.end(sick.parent, "FINISHED")
    for status in ("FINISHED", "KILLED"):
        earlier = sick.runs.create("sweep", NAME)
        sick.runs.end(sick.runs.create("trial", "t", earlier, {"s2s.trial": "0"}), status)
        sick.runs.end(earlier, status)
    sick.runs.end(sick.runs.create("sweep", NAME), "FINISHED")  # whose trials were deleted
    assert examined(capsys) == (0, "study fake: nothing to mend\n")


def test_what_lives_is_left_alone(sick: Sick, capsys: pytest.CaptureFixture[str]) -> None:
    sick.dead.beat()  # it lives
    sick.trial()
    assert examined(capsys, "--mend") == (0, "study fake: nothing to mend\n")
    assert sick.study.trials[0].state.name == "RUNNING"


def test_a_journal_with_a_torn_line_and_a_stale_lock(store: MlflowClient, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path("sweeps.log").absolute()
    url = f"journal:///{file}"
    study = open_study(fake_sweep(9), NAME, open_storage(url))
    study.tell(study.ask(), 1.0)
    whole = file.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    file.write_bytes(whole + b'{"op_code":4,"worker_' + last + last)  # a kill, and others that go on
    with pytest.raises(UserError, match="a line that was cut off"):
        optuna.load_study(study_name=NAME, storage=open_storage(url))
    lock = Path(f"{file}.lock")
    lock.symlink_to(file)
    os.utime(lock, (1, 1), follow_symlinks=False)
    _, said = examined(capsys, "--storage", url, "--mend")
    assert "lines that were cut off (" in said
    assert "whoever made it is dead" in said
    assert not lock.is_symlink()
    assert file.with_name("sweeps.log.broken").is_file()
    assert len(optuna.load_study(study_name=NAME, storage=open_storage(url)).trials) == 1


def test_a_storage_that_does_not_answer_is_said(
    sick: Sick, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "examine_study", Mock(side_effect=StorageInternalError("refused")))
    assert main(["sweep-doctor"]) == 2
    assert "STORAGE=sqlite:///sweeps.db does not answer (refused): start it" in capsys.readouterr().err


def test_where_no_sweep_was_begun_there_is_nothing_to_look_at(
    in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = examined(capsys)
    assert status == 0
    assert "there is no sweeps.db, so nothing to look at: no sweep was begun here" in said
