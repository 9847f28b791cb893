"""Which stopped runs a user or a scheduler means."""

from __future__ import annotations

import pytest
import torch
from mlflow.tracking import MlflowClient

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.runs import connect, find_run
from s2s_lit.tracking.lifecycle import tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.training.resumable_runs import attached, restart_file, stopped_by_requeue, stopped_run
from s2s_lit.training.scheduled_job import JOB, scheduled_job


def stopped(
    experiment: str, *, status: str = "KILLED", restart: bool = True, job: str = "slurm 7", kind: str = "train"
) -> str:
    """The id of a run that ended so."""
    tracker = MlflowTracker(dataset="toy", experiment=experiment, kind=kind, tags={JOB: job})
    with tracked_run(tracker):
        pass
    run_id = str(tracker.run_id)
    connect().update_run(run_id, status=status)
    file = restart_file(find_run(run_id))
    assert file == attached(find_run(run_id)).run_dir / "last.ckpt"
    if restart:
        file.parent.mkdir(parents=True, exist_ok=True)
        own = {"config": f"experiment: {experiment}", "tokenizers": {}}
        torch.save({"restart": {"random_states": []}, "s2s_lit": own}, file)
    return run_id


def test_the_newest_that_can_go_on_is_meant(store: MlflowClient) -> None:
    with pytest.raises(UserError, match="no training here was stopped"):
        stopped_run("latest")
    older, other = stopped("lstm"), stopped("gru")
    stopped("gru", status="FINISHED")
    lacking = stopped("gru", restart=False)
    assert stopped_run("latest").run_id == stopped_run("gru").run_id == other
    assert stopped_run("lstm").run_id == stopped_run(older[:8]).run_id == older
    with pytest.raises(UserError, match=r"no restart point runs/gru/"):
        stopped_run(lacking)


def test_a_sweeps_trials_are_left_to_it(store: MlflowClient) -> None:
    training, trial = stopped("gru"), stopped("gru", kind="trial")
    assert stopped_run("latest").run_id == stopped_run("gru").run_id == training
    with pytest.raises(UserError, match=r"no training of its own \(trial\)"):
        stopped_run(trial)


@pytest.mark.parametrize(("status", "why"), [("FINISHED", "nothing to go on with"), ("RUNNING", "still running, on ")])
def test_what_cannot_go_on_is_told(store: MlflowClient, status: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        stopped_run(stopped("gru", status=status))


def test_a_run_of_a_machine_that_broke_goes_on_in_its_requeued_job(
    store: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, newer = stopped("gru", status="RUNNING"), stopped("gru", job="slurm 9")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    with pytest.raises(UserError, match=rf"connect\(\)\.set_terminated\('{run_id}', 'KILLED'\)"):
        stopped_run(run_id)
    assert stopped_run("gru").run_id == newer
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert {stopped_run(name).run_id for name in (run_id, "gru", "latest")} == {run_id}
    monkeypatch.setenv("SLURM_JOB_ID", "8")
    with pytest.raises(UserError, match="still running, on "):
        stopped_run(run_id)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (None, False)),
        ({"SLURM_JOB_ID": "7"}, ("slurm 7", False)),
        ({"SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": "1"}, ("slurm 7", True)),
        ({"SLURM_JOB_ID": "9", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2"}, ("slurm 7_2", False)),
        ({"TORCHELASTIC_RUN_ID": "abc", "TORCHELASTIC_RESTART_COUNT": "1"}, ("torchrun abc", True)),
        ({"TORCHELASTIC_RUN_ID": "s2s", "TORCHELASTIC_RESTART_COUNT": "0"}, (None, False)),
    ],
)
def test_the_schedulers_job_is_known(
    environment: dict[str, str], expected: tuple[str | None, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLURM_JOB_ID", "TORCHELASTIC_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert scheduled_job() == expected


def test_a_requeued_job_goes_on_with_its_own_run_of_the_same_configuration(store: MlflowClient) -> None:
    run_id = stopped("gru", status="RUNNING")  # its machine broke
    stopped("gru", job="slurm 8")
    assert stopped_by_requeue("slurm 7", "experiment: lstm".__eq__) is None
    found = stopped_by_requeue("slurm 7", "experiment: gru".__eq__)
    assert found is not None
    assert found.run_id == run_id
