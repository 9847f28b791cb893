"""Runs of trainings that were stopped and can be resumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.runs import RunRecord, find_run, list_runs
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.run_folder import claim, require_unclaimed
from s2s_lit.training.restart_files import RESTART, read_restart
from s2s_lit.training.scheduled_job import JOB, scheduled_job


def attached(run: RunRecord) -> MlflowTracker:
    """A tracker that goes on with the run."""
    return MlflowTracker(dataset=run.dataset, experiment=run.experiment, run_id=run.run_id)


def restart_file(run: RunRecord) -> Path:
    """Where the run's restart point lies, if it has one."""
    return attached(run).run_dir / RESTART


def stopped_run(selector: str, dataset: str | None = None) -> RunRecord:
    """The stopped training that a user means; `latest` and an experiment's name are the newest that can go on.

    Raises:
        UserError: there is none, it runs, has finished, is a sweep's, or has no restart point here.
    """
    job, again = scheduled_job()

    def requeued(run: RunRecord) -> bool:  # then it does not run, whatever a machine that broke could not say
        return again and run.tags.get(JOB) == job

    records = list_runs("attributes.status != 'FINISHED' and tags.`s2s.kind` = 'train'")
    records = [run for run in records if dataset in (None, run.dataset) and restart_file(run).is_file()]
    stopped = [run for run in records if run.status != "RUNNING" or requeued(run)]
    named = [run for run in stopped if selector in ("latest", run.experiment)]
    if named:
        return next(filter(requeued, named), named[0])
    if selector == "latest":
        raise UserError("RUN=latest: no training here was stopped and can go on.")
    run = find_run(selector, dataset=dataset)
    if run.kind != "train":
        raise UserError(f"run {run} is no training of its own ({run.kind}): a sweep that is started again goes on.")
    if run.status == "FINISHED":
        raise UserError(
            f"run {run} has finished: there is nothing to go on with. To train its weights further, in a new run: "
            f'make train EXP={run.experiment} DATA={run.dataset} ARGS="--start_from {run.run_id[:8]}"'
        )
    if run.status == "RUNNING" and not requeued(run):
        require_unclaimed(attached(run).run_dir)
        raise UserError(
            f"run {run} is still running, on {run.tags.get('s2s.host', 'some machine')}. If it died there, resume it "
            f"there; if that machine is lost: .venv/bin/python -c "
            f'"from s2s_lit.tracking.client.connection import connect; '
            f"connect().set_terminated('{run.run_id}', 'KILLED')\""
        )
    if not restart_file(run).is_file():
        raise UserError(f"run {run} has no restart point {restart_file(run)}: that lies where the run was trained.")
    return run


def claimed_run(selector: str, dataset: str | None = None) -> RunRecord:
    """The same, with its folder locked by this process before its status is read: two cannot go on with one run.

    Raises:
        UserError: as above; or another process has it.
    """
    run = stopped_run(selector, dataset)
    claim(attached(run).run_dir)
    return stopped_run(run.run_id)


def stopped_by_requeue(job: str | None, same: Callable[[str], bool]) -> RunRecord | None:
    """The run, of a configuration that is the `same`, that this job began before it was started again, if it can go on.

    Whatever its status says: of a machine that broke nobody could say KILLED, and a job is at one place at a time.
    """
    for run in list_runs(f"tags.`{JOB}` = '{job}'"):
        file = restart_file(run)
        if run.status != "FINISHED" and file.is_file() and same(read_restart(file)["config"]):
            return run
    return None
