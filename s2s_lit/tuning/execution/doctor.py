"""Looks for what crashes leave behind: in a journal, in the study, and between the study and its runs in MLflow."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from s2s_lit.errors import UserError
from s2s_lit.tracking.client import sweep_runs as tags
from s2s_lit.tracking.client.runs import RunRecord
from s2s_lit.tracking.client.sweep_runs import SweepRuns
from s2s_lit.tuning.execution.ownership import OWNER, Ownership
from s2s_lit.tuning.study import attributes
from s2s_lit.tuning.study.trials import infeasible

_STALE_LOCK_S = 30.0
_EXPECTED = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "FINISHED", TrialState.FAIL: "FAILED"}


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        what: It, in words.
        remedy: What mending does, in words.
        mend: Does it; None where only a person can.
    """

    what: str
    remedy: str
    mend: Callable[[], object] | None


def examine_journal(file: Path) -> Iterator[Finding]:
    """What would keep a journal from being read or written; to be mended before it is opened."""
    lock = Path(f"{file}.lock")
    if os.path.lexists(lock):
        age = time.time() - os.lstat(lock).st_mtime
        if age > _STALE_LOCK_S:
            yield Finding(
                f"{lock} has been there for {age:.0f} s, so whoever made it is dead", "removes it", lock.unlink
            )
        else:
            yield Finding(f"{lock} is {age:.0f} s old: somebody may be writing", "look again in half a minute", None)
    broken = [number for number, line in enumerate(_lines(file), start=1) if not _whole(line)]
    if broken:
        numbers = ", ".join(map(str, broken))
        yield Finding(
            f"{file} has lines that were cut off ({numbers}), and cannot be read beyond them",
            f"takes them out; the file as it was stays as {file.name}.broken",
            lambda: _take_out(file),
        )


def examine_study(study: optuna.Study, ownership: Ownership, runs: SweepRuns) -> Iterator[Finding]:
    """What is left of dead supervisors, and where the study and MLflow disagree."""
    for trial in ownership.decided(ownership.abandoned, _tell):
        owner = trial.user_attrs.get(OWNER) or "nobody"
        yield Finding(
            f"trial {trial.number} is RUNNING, but its supervisor ({owner}) is dead",
            "gives it back to the queue; the sweep's command goes on with it",
            partial(_give_back, ownership, trial),
        )
    parent = study.user_attrs.get(attributes.PARENT)
    if parent is None:
        yield Finding("the study has no run in MLflow: it was killed as it began", "run the sweep's command", None)
        return
    try:
        record = runs.record(parent)
    except UserError as error:
        yield Finding(str(error), "set MLFLOW_TRACKING_URI", None)
        return
    yield from _examine_parent(study, ownership, runs, record)
    yield from _examine_runs(study, runs, parent)


def _examine_parent(study: optuna.Study, ownership: Ownership, runs: SweepRuns, record: RunRecord) -> Iterator[Finding]:
    trials = study.get_trials(deepcopy=False)
    if record.status == "RUNNING" and not ownership.decided(ownership.others, _tell):
        finished = bool(trials) and all(trial.state.is_finished() for trial in trials)
        status = "FINISHED" if finished else "KILLED"
        yield Finding(
            f"the sweep's run {record.run_id[:8]} is RUNNING, but no supervisor lives",
            f"ends it as {status}",
            lambda: runs.end(record.run_id, status),
        )
    for other in runs.of_study():
        orphan = other.kind == "sweep" and other.run_id != record.run_id and tags.ORPHAN not in other.tags
        if orphan and other.status != "FINISHED" and not runs.below(other.run_id):  # no earlier study of that name
            yield _orphan(other, f"run {other.run_id[:8]} stands for this study, too, but was not taken", runs)


def _examine_runs(study: optuna.Study, runs: SweepRuns, parent: str) -> Iterator[Finding]:
    trials = {trial.number: trial for trial in study.get_trials(deepcopy=False)}
    below = [run for run in runs.below(parent) if run.kind == "trial" and tags.ORPHAN not in run.tags]
    known = {trial.user_attrs.get(attributes.RUN): number for number, trial in trials.items()}
    for run in below:
        if run.run_id not in known:
            yield _orphan(
                run, f"run {run.run_id[:8]} says it is trial {run.tags.get(tags.TRIAL)}, but no trial is", runs
            )
    there = {run.run_id: run for run in below}
    for trial in trials.values():
        own = there.get(trial.user_attrs.get(attributes.RUN, ""))
        if trial.state.is_finished() and not infeasible(trial):
            yield from _examine_trial(trial, own, runs)


def _examine_trial(trial: FrozenTrial, run: RunRecord | None, runs: SweepRuns) -> Iterator[Finding]:
    state, expected = trial.state.name, _EXPECTED[trial.state]
    if run is None:
        yield Finding(f"trial {trial.number} is {state}, but its run is not there", "nothing can be done", None)
    elif run.status != expected or run.tags.get(tags.STATE) != state:

        def mend() -> None:
            runs.tag(run.run_id, {tags.STATE: state})
            runs.end(run.run_id, expected)

        said = f"{run.status}, {run.tags.get(tags.STATE, 'no state')}"
        yield Finding(
            f"trial {trial.number} is {state}, but its run {run.run_id[:8]} is {said}", f"makes it {expected}", mend
        )


def _tell(seconds: float) -> None:
    print(f"watching for up to {seconds:.0f} s whether supervisors that are not of this machine live", flush=True)


def _give_back(ownership: Ownership, trial: FrozenTrial) -> None:
    for claimed in ownership.claim([trial]):
        ownership.release(claimed)


def _orphan(run: RunRecord, what: str, runs: SweepRuns) -> Finding:
    def mend() -> None:
        runs.tag(run.run_id, {tags.ORPHAN: "true"})
        if run.status == "RUNNING":
            runs.end(run.run_id, "KILLED")

    return Finding(what, f"tags it {tags.ORPHAN}, and ends it if it is RUNNING", mend)


def _lines(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines(keepends=True) if file.is_file() else []


def _whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return line.endswith(b"\n")


def _take_out(file: Path) -> None:
    content = file.read_bytes()
    file.with_name(f"{file.name}.broken").write_bytes(content)
    file.write_bytes(b"".join(line for line in content.splitlines(keepends=True) if _whole(line)))
