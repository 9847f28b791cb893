"""The trials that a supervisor has in hand, one in each slot: how they are held, ended and given back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from s2s_lit.errors import UserError
from s2s_lit.tuning.execution.failures import Failures
from s2s_lit.tuning.execution.job import Job
from s2s_lit.tuning.execution.ownership import Ownership
from s2s_lit.tuning.execution.worker import Worker
from s2s_lit.tuning.optuna_adapter import stored, trial_id
from s2s_lit.tuning.study import attributes
from s2s_lit.tuning.study.trials import CANNOT_BE_TRAINED

Watcher = Callable[[str, FrozenTrial], None]
"""Told what happened (refused, started, reported, retried, complete, pruned, fail or returned) and to which trial."""


class Bench:
    """One supervisor's trials.

    Args:
        ownership: The supervisor's place in the study.
        watcher: Told what happens.
        logs: Folder of what the trials print.

    Attributes:
        jobs: The trials by slot.
        failures: What has failed so far.
    """

    def __init__(self, ownership: Ownership, watcher: Watcher, logs: Path) -> None:
        self.jobs: dict[int, Job] = {}
        self.failures = Failures()
        self._study, self._ownership = ownership.study, ownership
        self._watcher, self._logs = watcher, logs

    def tell(self, event: str, job: Job) -> None:
        """Tells the watcher."""
        self._watcher(event, self.stored(job))

    def stored(self, job: Job) -> FrozenTrial:
        """A trial as it lies in the study now."""
        return stored(self._study, job.trial)

    def ids(self) -> set[int]:
        """The ids of the trials."""
        return {trial_id(job.trial) for job in self.jobs.values()}

    def workers(self) -> list[Worker]:
        """The processes that train."""
        return [job.worker for job in self.jobs.values() if job.worker is not None]

    def slot_of(self, number: int) -> int | None:
        """Where the trial of that number is trained."""
        return next((slot for slot, job in self.jobs.items() if job.number == number), None)

    @contextlib.contextmanager
    def holding(self, slot: int) -> Iterator[bool]:
        """Whether a slot's job is still this supervisor's.

        It is let go of if another supervisor has taken it meanwhile, which believed this one, suspended or slow, dead.
        """
        job, mine = self.jobs[slot], False
        try:
            mine = self._ownership.owns(job.trial)
            yield mine
        except UpdateFinishedTrialError:  # in this very moment
            mine = False
        if not mine:
            self.jobs.pop(slot, None)
            if job.worker is not None:
                job.worker.end()
            print(f"trial {job.number} has been taken over by another supervisor", flush=True)

    def let_go(self) -> None:
        """Lets go of what was taken over."""
        for slot in list(self.jobs):
            with self.holding(slot):
                pass

    def end(self, slot: int, state: TrialState, reason: str = "") -> None:
        """A trial is over."""
        job = self.jobs.pop(slot)
        log = self._logs / job.log
        text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        if not self._ownership.owns(job.trial):  # another supervisor took us for dead; it is theirs
            return
        job.end(self._study, state, reason=reason, log=text)
        self.tell(state.name.lower(), job)
        self.failures.ended(state, reason, self._study.get_trials(deepcopy=False))

    def refuse(self, trial: optuna.Trial, reason: str) -> None:
        """A point cannot be trained: no process is started, and Optuna is told to avoid it."""
        trial.set_user_attr(attributes.FAILURE, reason)
        trial.set_constraint(CANNOT_BE_TRAINED, 1.0)
        with contextlib.suppress(ValueError):  # another supervisor took it over and has ended it
            self._study.tell(trial, state=TrialState.PRUNED)
        self._watcher("refused", stored(self._study, trial))
        self.failures.refused(reason)

    def put_back(self, slot: int) -> None:
        """Gives a trial that was stopped back to the study; the next supervisor that asks goes on with it."""
        job = self.jobs.pop(slot)
        with contextlib.suppress(UserError):  # if the tracking store is away, the next command says so of its run
            job.stopped()
        self._ownership.release(job.trial)
        self.tell("returned", job)

    def put_all_back(self) -> None:
        """Gives all trials back as they are."""
        for slot in list(self.jobs):
            with self.holding(slot) as mine:
                if mine:
                    self.put_back(slot)
        for left in self._ownership.running():  # of which the tracking store could not be told
            self._ownership.release(left)
