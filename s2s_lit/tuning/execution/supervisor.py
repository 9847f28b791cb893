"""Runs the trials of a study in processes of their own: asks, starts, listens, sees them end, and tells.

Nothing that it knows is only in its memory: whoever runs the same command after it was killed goes on from the study
and from the trials' runs. On another machine a second supervisor of the same study does the same beside it.
"""

from __future__ import annotations

import contextlib
import math
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.sweep_runs import Outcome, SweepRuns
from s2s_lit.tracking.process_identity import identity
from s2s_lit.tuning.execution.channel import Message, Server
from s2s_lit.tuning.execution.job import Job
from s2s_lit.tuning.execution.ownership import Ownership
from s2s_lit.tuning.execution.queue import Queue
from s2s_lit.tuning.execution.stop import Stop
from s2s_lit.tuning.execution.work import Work
from s2s_lit.tuning.execution.worker import COMMAND, Slot, Worker, said
from s2s_lit.tuning.optuna_adapter import stored, trial_id
from s2s_lit.tuning.search.sweep_file import Sweep

TICK_S = 0.2
_SEARCH_S = 1.0  # between two looks for something to do
_HOPELESS = 3  # so many failures before any success end the sweep,
_IN_A_ROW = 5  # and so many without a success in between: the machine fails, not the points
_STOP_S = 60.0
_SAVE_S = 10.0  # the same where a store is away

Watcher = Callable[[str, FrozenTrial], None]
"""Told what happened (started, reported, retried, complete, pruned, fail or returned) and to which trial."""


class Supervisor:
    """The one process of a machine that deals with a study.

    Args:
        sweep: What is searched.
        study: Where.
        ownership: This supervisor's place in it.
        runs: The MLflow side.
        parent: The sweep's run.
        slots: The machine's shares; one trial runs in each.
        deadline: No trial is begun later than this, by the monotonic clock.
        watcher: Told what happens.
        command: The program of a trial.
        logs: Folder of what the trials print.
    """

    def __init__(
        self,
        sweep: Sweep,
        study: optuna.Study,
        *,
        ownership: Ownership,
        runs: SweepRuns,
        parent: str,
        slots: Sequence[Slot],
        deadline: float = math.inf,
        watcher: Watcher = lambda what, trial: None,
        command: Sequence[str] = COMMAND,
        logs: Path = Path("runs/sweeps"),
    ) -> None:
        self._sweep, self._study, self._ownership = sweep, study, ownership
        self._queue = Queue(ownership, sweep.trials)
        self._runs, self._parent, self._slots = runs, parent, slots
        self._watcher, self._command, self._logs = watcher, command, logs / study.study_name
        self._jobs: dict[int, Job] = {}  # by slot
        self._next_search = 0.0
        self.stop = Stop()
        self._hopeless = ""
        self._failed_in_a_row = 0
        self._deadline = deadline

    def run(self) -> bool:
        """Until the budget is spent or the user stops it; whether it is spent: in finished trials or in hours.

        Raises:
            UserError: the first trials all failed, or several in a row.
        """
        with (
            tempfile.TemporaryDirectory(prefix="s2s-sweep-") as folder,
            contextlib.closing(Server()) as server,
            self.stop.heard(),
            self._runs.waiting_with(self._wait),
        ):
            try:
                while not self._done():
                    self._look_around()
                    self._fill(Path(folder), server.address)
                    server.serve(self._answer, TICK_S)
                    self._reap(Path(folder), server.address)
                self._stop_all(server, Path(folder))
            except (UserError, KeyboardInterrupt) as error:  # the tracking store is away, or there is no time
                self._end_workers(server, 0.0 if isinstance(error, KeyboardInterrupt) else _SAVE_S)
                self._return_all()
                raise
            finally:
                self._end_workers(server, _SAVE_S)
        self._ownership.leave()
        if self._hopeless:
            raise UserError(f"{self._hopeless}; once that is mended the same command goes on")
        return self._queue.done() or (not self.stop.asked and time.monotonic() >= self._deadline)

    # What is to be done

    def _may_begin(self) -> bool:
        return not self.stop.asked and not self._hopeless and time.monotonic() < self._deadline

    def _done(self) -> bool:
        if self._jobs and not self.stop.asked and not self._hopeless:
            return False
        if not self._may_begin():
            return True
        if time.monotonic() < self._next_search:
            return False
        return self._queue.done()

    def _look_around(self) -> None:
        """Now and then: says that it lives, lets go of what was taken from it."""
        if not self._beat():
            return
        for slot in list(self._jobs):
            with self._holding(slot):
                pass

    @contextlib.contextmanager
    def _holding(self, slot: int) -> Iterator[bool]:
        """Whether a slot's job is still this supervisor's.

        It is let go of if another supervisor has taken it meanwhile, which believed this one, suspended or slow, dead.
        """
        job, mine = self._jobs[slot], False
        try:
            mine = self._ownership.owns(job.trial)
            yield mine
        except UpdateFinishedTrialError:  # in this very moment
            mine = False
        if not mine:
            self._jobs.pop(slot, None)
            if job.worker is not None:
                job.worker.end()
            print(f"trial {job.number} has been taken over by another supervisor", flush=True)

    def _wait(self) -> bool:
        """Whether the tracking store is waited for, which has not answered."""
        self._beat()
        return not self.stop.asked

    def _beat(self) -> bool:
        """Says that this supervisor lives, if it is time to."""
        due = self._ownership.due()
        if due:
            self._ownership.beat()
        return due

    def _fill(self, folder: Path, address: str) -> None:
        for slot in self._slots:
            if slot.index in self._jobs or not self._may_begin() or time.monotonic() < self._next_search:
                continue
            job = self._next()
            if job is None:
                self._next_search = time.monotonic() + _SEARCH_S
                return
            self._jobs[slot.index] = job
            with self._holding(slot.index) as mine:
                if mine:
                    self._go_on(job, slot, folder, address)

    def _next(self) -> Job | None:
        """A trial to work on, if there is one."""
        found = self._queue.next({trial_id(job.trial) for job in self._jobs.values()})
        if found is None:
            return None
        trial, died = found
        job = Job(trial, self._sweep, self._runs, self._parent, self._study.study_name)
        if died:
            job.died("its supervisor died")
        return job

    # One trial

    def _go_on(self, job: Job, slot: Slot, folder: Path, address: str) -> None:
        """Starts what is to be trained next; ends the trial if nothing is, or if it may not be tried again."""
        while slot.index in self._jobs:
            seed = job.next_seed()
            if seed is None:
                self._end(job, slot, TrialState.COMPLETE)
                return
            run_id = job.run_of(seed)
            outcome = self._runs.outcome(run_id)  # known if whoever saw it end was killed before it could tell
            if outcome is None and job.retries > self._sweep.retries:
                self._end(job, slot, TrialState.FAIL, job.last_death())
            elif outcome is None:
                job.started(self._worker(job, slot, seed, run_id, folder, address))
                self._watcher("started", self._frozen(job))
                return
            else:
                self._settle(job, slot, seed, outcome)

    def _worker(self, job: Job, slot: Slot, seed: int, run_id: str, folder: Path, address: str) -> Worker:
        sweep = self._sweep
        work = Work(
            number=job.number,
            seed=seed,
            experiment=sweep.experiment,
            dataset=sweep.dataset,
            overrides=sweep.overrides(job.point, seed),
            objectives=[[objective.name, objective.higher_is_better] for objective in sweep.objectives],
            run_id=run_id,
            address=address,
            supervisor=identity(),
            reports=len(sweep.objectives) == 1 and seed == sweep.seeds[0],
        )
        return Worker(work, slot, folder=folder, log=self._logs / job.log, command=self._command)

    def _answer(self, message: Message) -> Message:
        """What a trial's process is told when it says something."""
        slot, job = next(((s, job) for s, job in self._jobs.items() if job.number == message["number"]), (-1, None))
        if job is None or job.worker is None:
            return {"prune": False}
        with self._holding(slot) as mine:
            if mine and "values" in message:
                job.worker.result = message
            elif mine and message["place"] not in self._frozen(job).intermediate_values:
                job.trial.report(message["value"], message["place"])
                self._watcher("reported", self._frozen(job))
                return {"prune": bool(job.trial.should_prune())}
        return {"prune": False}  # also if it died further on, and was judged here before

    def _reap(self, folder: Path, address: str) -> None:
        """Deals with the processes that have ended."""
        for slot in self._slots:
            job = self._jobs.get(slot.index)
            worker = None if job is None else job.worker
            if job is None or worker is None:
                continue
            self.stop.happened()
            if (status := worker.status) is None:
                if job.overdue:
                    worker.stop(_STOP_S)
                continue
            worker.end()  # what it started, too
            with self._holding(slot.index) as mine:
                if mine:
                    self._ended(job, slot, worker, status, folder, address)

    def _ended(self, job: Job, slot: Slot, worker: Worker, status: int, folder: Path, address: str) -> None:
        """Deals with one of them."""
        outcome = self._outcome(job, worker, status)
        if outcome is not None:
            job.span("pruned" if outcome.pruned else "finished")
            self._settle(job, slot, worker.work.seed, outcome)
        elif job.overdue:
            job.span("failed")
            self._end(job, slot, TrialState.FAIL, f"it took longer than trial_hours: {self._sweep.trial_hours:g}")
        elif self.stop.asked or self._hopeless:
            job.span("stopped")
            self._return(job, slot)
        elif status < 0 or status > 128:
            job.span("died")
            job.died(said(status))
            self._watcher("retried", self._frozen(job))
        else:
            job.span("failed")
            self._end(job, slot, TrialState.FAIL, worker.last_words() or said(status))
        if slot.index in self._jobs:
            self._go_on(job, slot, folder, address)

    def _outcome(self, job: Job, worker: Worker, status: int) -> Outcome | None:
        """What a process that has ended said, or what its run says if it could no longer speak."""
        if status == 0 and worker.result is not None:
            values = worker.result["values"]
            return Outcome(pruned=values is None, values=values or {})
        return self._runs.outcome(worker.work.run_id)

    def _settle(self, job: Job, slot: Slot, seed: int, outcome: Outcome) -> None:
        """One training is finished or pruned."""
        broken = [name for name, value in outcome.values.items() if not math.isfinite(value)]
        if outcome.pruned:
            self._end(job, slot, TrialState.PRUNED)
        elif broken:
            self._end(job, slot, TrialState.FAIL, f"{broken[0]} is {outcome.values[broken[0]]}")
        else:
            job.seed_done(seed, outcome.values)

    def _end(self, job: Job, slot: Slot, state: TrialState, reason: str = "") -> None:
        """The trial is over."""
        log = self._logs / job.log
        text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        del self._jobs[slot.index]
        if not self._ownership.owns(job.trial):  # another supervisor took us for dead; it is theirs
            return
        job.end(self._study, state, reason=reason, log=text)
        self._watcher(state.name.lower(), self._frozen(job))
        self._failed_in_a_row = self._failed_in_a_row + 1 if state == TrialState.FAIL else 0
        states = [trial.state for trial in self._study.get_trials(deepcopy=False)]
        if not {TrialState.COMPLETE, TrialState.PRUNED} & set(states) and states.count(TrialState.FAIL) >= _HOPELESS:
            self._hopeless = f"the first {_HOPELESS} trials all failed, so no more are tried. The last: {reason}"
        elif self._failed_in_a_row >= _IN_A_ROW:
            self._hopeless = f"{_IN_A_ROW} trials failed in a row, so no more are tried. The last: {reason}"

    def _return(self, job: Job, slot: Slot) -> None:
        """Gives a trial that was stopped back to the study; the next supervisor that asks goes on with it."""
        del self._jobs[slot.index]
        with contextlib.suppress(UserError):  # if the tracking store is away, the next command says so of its run
            job.stopped()
        self._ownership.release(job.trial)
        self._watcher("returned", self._frozen(job))

    def _stop_all(self, server: Server, folder: Path) -> None:
        """Lets the processes save what they have and end."""
        deadline = time.monotonic() + 2 * _STOP_S
        while self._jobs and time.monotonic() < deadline:
            for job in self._jobs.values():
                if job.worker is not None:
                    job.worker.stop(_STOP_S)
            server.serve(self._answer, TICK_S)
            self._reap(folder, server.address)

    def _end_workers(self, server: Server, patience_s: float) -> None:
        """Ends the processes; for so long they may save what they have."""
        workers = [job.worker for job in self._jobs.values() if job.worker is not None]
        deadline = time.monotonic() + patience_s
        try:
            for worker in workers:
                worker.signal(signal.SIGTERM)
            while any(worker.status is None for worker in workers) and time.monotonic() < deadline:
                self.stop.happened()
                server.serve(lambda message: {"prune": False}, TICK_S)
        finally:
            for worker in workers:
                worker.end()

    def _return_all(self) -> None:
        """Gives all trials back as they are."""
        for slot in list(self._jobs):
            with self._holding(slot) as mine:
                if mine:
                    self._return(self._jobs[slot], self._slots[slot])
        for left in self._ownership.running():  # of which the tracking store could not be told
            self._ownership.release(left)
        self._ownership.leave()

    def _frozen(self, job: Job) -> FrozenTrial:
        return stored(self._study, job.trial)
