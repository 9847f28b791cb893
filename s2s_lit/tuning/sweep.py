"""`s2s sweep`: searches a space with trials of their own, beside other machines that do the same."""

from __future__ import annotations

import argparse
import math
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import optuna
from rich.console import Console
from rich.table import Table

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.sweep_runs import SweepRuns
from s2s_lit.tracking.lifecycle import mark_dead_runs
from s2s_lit.tracking.records.provenance import provenance_tags
from s2s_lit.tuning.execution.ownership import Ownership
from s2s_lit.tuning.execution.progress import Progress
from s2s_lit.tuning.execution.storage import answering, open_storage, outages, reason, storage_file, without_password
from s2s_lit.tuning.execution.supervisor import Supervisor
from s2s_lit.tuning.execution.worker import COMMAND, Slot, devices_of, make_slots
from s2s_lit.tuning.results.ablation import ablation_of, summarize_ablation
from s2s_lit.tuning.results.summary import summarize
from s2s_lit.tuning.search.study import PARENT, enqueue, open_study, sweep_run
from s2s_lit.tuning.search.sweep_file import FOLDER, Sweep, names, read_sweep

_PATIENCE_S = 600.0
STOPPED = 3
"""Status of a command that was stopped before all trials were finished."""


def sweep(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: 0 when all trials are finished, 3 when it was stopped before."""
    if arguments.name is None:
        print_sweeps()
        return 0
    if arguments.workers < 1:
        raise UserError(f"WORKERS must be at least 1, not {arguments.workers}")
    searched = read_sweep(arguments.name, arguments.trials, arguments.data_dir)
    searched.check()
    mark_dead_runs()
    name = arguments.study or searched.name
    slots = slots_of(searched, arguments.workers)
    if arguments.ablate:
        with answering(arguments.storage):
            searched, name = ablation_of(searched, name, arguments.storage)

    def conclude(study: optuna.Study, runs: SweepRuns, parent: str) -> None:
        if arguments.ablate:
            summarize_ablation(searched, study, runs, parent)
            return
        threads = slots[0].environment["OMP_NUM_THREADS"]
        summarize(searched, study, runs, parent, threads=threads, out=arguments.out)

    with answering(arguments.storage):
        finished = search(searched, name, arguments.storage, slots, conclude=conclude)
    if not finished:
        print(f"\nstopped; the same command goes on: {shlex.join(['s2s', *sys.argv[1:]])}")
    return 0 if finished else STOPPED


@dataclass(frozen=True)
class Pace:
    """Seconds between the signs of life of a supervisor, and how long others wait for one (`Ownership`)."""

    beat_s: float = 15.0
    grace_s: float = 120.0
    settle_s: float = 2.0
    unowned_s: float = 30.0


def search(
    searched: Sweep,
    name: str,
    storage: str,
    slots: Sequence[Slot],
    *,
    command: Sequence[str] = COMMAND,
    pace: Pace | None = None,
    conclude: Callable[[optuna.Study, SweepRuns, str], None] = lambda study, runs, parent: None,
) -> bool:
    """Runs trials until the study has them all; whether all are finished.

    Args:
        searched: The sweep.
        name: Of the study.
        storage: Where it lies.
        slots: This machine's shares.
        command: The program of a trial.
        pace: By default quicker for a file, which only this machine writes.
        conclude: Says what was found, to the user and in the sweep's run, before that ends.
    """
    study = open_study(searched, name, open_storage(storage))
    pace = pace or (Pace(settle_s=0.5) if storage_file(storage) is not None else Pace())
    ownership = Ownership(study, **asdict(pace))
    ownership.beat()
    runs = SweepRuns(dataset=searched.dataset, experiment=searched.experiment, study=name)
    parent = open_parent(searched, study, ownership, runs)
    enqueue(searched, ownership)
    what = f"{searched.trials} trials of {searched.experiment} on {searched.dataset}, {len(slots)} at a time"
    devices = devices_of(slots)
    print(f"sweep {name} in {without_password(storage)}, run {parent}: {what}{devices}", flush=True)
    if devices and ownership.beside():
        print("another command of this sweep uses this machine's GPUs, too: CUDA_VISIBLE_DEVICES gives each its own")
    deadline = math.inf if searched.hours is None else time.monotonic() + 3600 * searched.hours
    finished = None
    with Progress(searched, study) as progress:
        while finished is None:
            supervisor = Supervisor(
                searched,
                study,
                ownership=ownership,
                runs=runs,
                parent=parent,
                slots=slots,
                deadline=deadline,
                watcher=progress,
                command=command,
            )
            try:
                finished = supervisor.run()
            except outages() as error:  # its processes are ended; what they had is not lost
                if supervisor.stop.asked:
                    raise
                print(f"the storage does not answer ({reason(error)}); going on when it does", flush=True)
                wait_for_storage(study, storage)
                ownership.forget()
            except (UserError, KeyboardInterrupt) as error:
                runs.end(parent, "FAILED" if isinstance(error, UserError) else "KILLED")
                raise
    with runs.waiting_with(lambda: bool(finished)):  # who was asked to stop waits for nothing
        conclude(study, runs, parent)
        if not ownership.others():
            runs.end(parent, "FINISHED" if finished else "KILLED")
    return finished


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
        return str(known)

    def create() -> str:
        run_id = runs.create("sweep", study.study_name)
        runs.tag(run_id, provenance_tags())
        runs.text(run_id, searched.text, "sweep.yaml")
        return run_id

    return sweep_run(ownership, create)


def slots_of(searched: Sweep, workers: int) -> list[Slot]:
    """This machine's shares, by what one trial uses.

    Raises:
        UserError: GPUs are named, of which each trial would see but its own.
    """
    devices = str(searched.compose(searched.space.probes()[0], searched.seeds[0]).trainer.devices)
    if not devices.isdecimal() and devices not in ("auto", "-1"):
        raise UserError(
            f"trainer.devices={devices}: a sweep gives its trials their GPUs, so say how many one uses; "
            "CUDA_VISIBLE_DEVICES says which there are"
        )
    return make_slots(workers, visible_gpus(), int(devices) if devices.isdecimal() else 1)


def visible_gpus() -> list[str]:
    """What CUDA calls the GPUs that may be used."""
    import torch

    if not torch.cuda.is_available():
        return []
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    return given.split(",") if given else [str(index) for index in range(torch.cuda.device_count())]


def print_sweeps() -> None:
    """What can be searched."""
    table = Table("make sweep SWEEP=", "what it is", "trials", "objectives")
    for name in names():
        searched = read_sweep(name)
        objectives = ", ".join(f"{o.name} {'↑' if o.higher_is_better else '↓'}" for o in searched.objectives)
        table.add_row(name, searched.what, str(searched.trials), objectives)
    if not table.row_count:
        raise UserError(f"{FOLDER}/ has no sweep: run this in the project's folder")
    Console(width=None if sys.stdout.isatty() else 160).print(table, markup=False)
