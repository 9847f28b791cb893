"""A sweep as a command: its study is opened, its trials are run, what they found is said."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import optuna

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.sweep_runs import SweepRuns
from s2s_lit.tracking.lifecycle import mark_dead_runs
from s2s_lit.tracking.records.provenance import provenance_tags
from s2s_lit.tuning.execution.beginning import enqueue, sweep_run
from s2s_lit.tuning.execution.ownership import Ownership
from s2s_lit.tuning.execution.progress import Progress
from s2s_lit.tuning.execution.slots import Slot, devices_of, slots_of
from s2s_lit.tuning.execution.supervisor import Supervisor
from s2s_lit.tuning.execution.worker import COMMAND
from s2s_lit.tuning.results.ablation import ablation_of, summarize_ablation
from s2s_lit.tuning.results.summary import summarize
from s2s_lit.tuning.search.sweep_file import Sweep
from s2s_lit.tuning.search.sweep_reader import read_sweep
from s2s_lit.tuning.study.attributes import PARENT
from s2s_lit.tuning.study.opening import continued, open_study
from s2s_lit.tuning.study.storage import answering, open_storage, outages, reason, storage_file, without_password

_PATIENCE_S = 600.0

Conclude = Callable[[optuna.Study, SweepRuns, str], None]
"""Says what a study found, to the user and in the sweep's run."""


def run_sweep(
    name: str,
    *,
    storage: str,
    study: str | None = None,
    trials: int | None = None,
    data_dir: str | None = None,
    workers: int = 1,
    ablate: bool = False,
    out: Path | None = None,
) -> bool:
    """Begins the sweep of a file, or goes on with it; whether all its trials are finished.

    Args:
        name: The file's, without folder and ending.
        storage: Where the study lies.
        study: The study's name; by default the sweep's.
        trials: How many trials the study shall have, instead of what the file says.
        data_dir: Folder of the data's files, instead of what the file says.
        workers: Trials at a time on this machine.
        ablate: Instead of searching, train the best point with one factor at a time as it was before.
        out: File for the best experiment.

    Raises:
        UserError: The file, the storage or the trials have a fault that the user can mend.
    """
    if workers < 1:
        raise UserError(f"WORKERS must be at least 1, not {workers}")
    searched = read_sweep(name, trials, data_dir)
    searched.check()
    mark_dead_runs()
    study = study or searched.name
    slots = slots_of(searched, workers)
    with answering(storage):
        conclude: Conclude
        if ablate:
            searched, study = ablation_of(searched, study, storage)
            conclude = partial(summarize_ablation, searched)
        else:
            conclude = partial(summarize, searched, threads=slots[0].environment["OMP_NUM_THREADS"], out=out)
        return search(searched, study, storage, slots, conclude=conclude)


@dataclass(frozen=True)
class Pace:
    """Seconds between the signs of life of a supervisor, and how long others wait for one (`Ownership`)."""

    beat_s: float = 15.0
    grace_s: float = 120.0
    settle_s: float = 2.0
    unowned_s: float = 30.0


def pace_of(storage: str) -> Pace:
    """Quicker for a file, which only this machine writes."""
    return Pace(settle_s=0.5) if storage_file(storage) is not None else Pace()


def search(
    searched: Sweep,
    name: str,
    storage: str,
    slots: Sequence[Slot],
    *,
    command: Sequence[str] = COMMAND,
    pace: Pace | None = None,
    conclude: Conclude = lambda study, runs, parent: None,
) -> bool:
    """Runs trials until the study has them all; whether all are finished.

    Args:
        searched: The sweep.
        name: The study's name.
        storage: Where the study lies.
        slots: This machine's shares.
        command: The program of a trial.
        pace: By default that of the storage.
        conclude: Called before the sweep's run ends.
    """
    study = open_study(searched, name, open_storage(storage))
    searched = continued(searched, study)
    ownership = Ownership(study, **asdict(pace or pace_of(storage)))
    ownership.beat()
    runs = SweepRuns(dataset=searched.dataset, experiment=searched.experiment, study=name)
    parent = open_parent(searched, study, ownership, runs)
    enqueue(searched, ownership)
    announce(searched, f"sweep {name} in {without_password(storage)}, run {parent}", slots, ownership)
    deadline = math.inf if searched.hours is None else time.monotonic() + 3600 * searched.hours
    make = partial(Supervisor, searched, study, ownership=ownership, runs=runs, parent=parent, slots=slots)
    try:
        with Progress(searched, study) as progress:
            finished = supervised(
                partial(make, deadline=deadline, watcher=progress, command=command), ownership, storage
            )
    except (UserError, KeyboardInterrupt) as error:
        runs.end(parent, "FAILED" if isinstance(error, UserError) else "KILLED")
        raise
    with runs.waiting_with(lambda: finished):  # who was asked to stop waits for nothing
        conclude(study, runs, parent)
        if not ownership.others():
            runs.end(parent, "FINISHED" if finished else "KILLED")
    return finished


def announce(searched: Sweep, what: str, slots: Sequence[Slot], ownership: Ownership) -> None:
    """Prints what begins."""
    devices = devices_of(slots)
    trials = f"{searched.trials} trials of {searched.experiment} on {searched.dataset}"
    print(f"{what}: {trials}, {len(slots)} at a time{devices}", flush=True)
    if devices and ownership.beside():
        print("another command of this sweep uses this machine's GPUs, too: CUDA_VISIBLE_DEVICES gives each its own")


def supervised(make: Callable[[], Supervisor], ownership: Ownership, storage: str) -> bool:
    """What a supervisor's `run` says; one that the storage left alone is followed by another when it answers again."""
    while True:
        supervisor = make()
        try:
            return supervisor.run()
        except outages() as error:  # its processes are ended; what they had is not lost
            if supervisor.stop.asked:
                raise
            print(f"the storage does not answer ({reason(error)}); going on when it does", flush=True)
            wait_for_storage(ownership.study, storage)
            ownership.forget()


def wait_for_storage(study: optuna.Study, storage: str) -> None:
    """Returns when a storage that was away answers again.

    Raises:
        UserError: it was away for too long.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            study.get_trials(deepcopy=False)
            return
        except outages() as error:
            if time.monotonic() > deadline:
                raise UserError(
                    f"STORAGE={without_password(storage)} has not answered for {_PATIENCE_S:.0f} s "
                    f"({reason(error)}): start it, then the same command goes on"
                ) from error
            time.sleep(5.0)


def open_parent(searched: Sweep, study: optuna.Study, ownership: Ownership, runs: SweepRuns) -> str:
    """The run that stands for the study."""
    known = study.user_attrs.get(PARENT)
    if known is not None:
        runs.record(known)
        runs.resume(known)
        runs.text(known, searched.text, "sweep.yaml")  # its space may have been mended
        return str(known)

    def create() -> str:
        run_id = runs.create("sweep", study.study_name)
        runs.tag(run_id, provenance_tags())
        runs.text(run_id, searched.text, "sweep.yaml")
        return run_id

    return sweep_run(ownership, create)
