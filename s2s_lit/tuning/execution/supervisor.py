"""Runs the trials of a study in processes of their own: asks, starts, listens, sees them end, and tells.

Nothing that it knows is only in its memory: whoever runs the same command after it was killed goes on from the study
and from the trials' runs. On another machine a second supervisor of the same study does the same beside it.
"""

from __future__ import annotations

import contextlib
import math
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import optuna

from s2s_lit.errors import UserError
from s2s_lit.scratch import scratch_folder
from s2s_lit.tracking.client.sweep_runs import SweepRuns
from s2s_lit.tuning.execution.bench import Bench, Watcher
from s2s_lit.tuning.execution.channel import Message, Server
from s2s_lit.tuning.execution.course import Course
from s2s_lit.tuning.execution.job import Job
from s2s_lit.tuning.execution.ownership import Ownership
from s2s_lit.tuning.execution.queue import Queue
from s2s_lit.tuning.execution.slots import Slot
from s2s_lit.tuning.execution.starter import Starter
from s2s_lit.tuning.execution.stop import Stop
from s2s_lit.tuning.execution.worker import COMMAND
from s2s_lit.tuning.search.sweep_file import Sweep
from s2s_lit.tuning.study import attributes

TICK_S = 0.2
_SEARCH_S = 1.0  # between two looks for something to do
_STOP_S = 60.0
_SAVE_S = 10.0  # the same where a store is away


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
        self._runs, self._parent, self._slots = runs, parent, slots
        self._command, self._logs, self._deadline = command, logs / study.study_name, deadline
        self._queue = Queue(ownership, sweep.trials)
        self._bench = Bench(ownership, watcher, self._logs)
        self._next_search = 0.0
        self.stop = Stop()

    def run(self) -> bool:
        """Until the budget is spent or the user stops it; whether it is spent: in finished trials or in hours.

        Raises:
            UserError: The first trials all failed, or several in a row.
        """
        with (
            scratch_folder() as folder,
            contextlib.closing(Server()) as server,
            self.stop.heard(),
            self._runs.waiting_with(self._wait),
        ):
            starter = Starter(self._sweep, server, folder, self._logs, self._command)
            course = Course(self._bench, starter, self._runs)
            try:
                while not self._done():
                    if self._beat():
                        self._bench.let_go()
                    self._fill(course)
                    server.serve(self._answer, TICK_S)
                    self._reap(course)
                self._stop_all(server, course)
            except (UserError, KeyboardInterrupt) as error:  # the tracking store is away, or there is no time
                self._end_workers(server, 0.0 if isinstance(error, KeyboardInterrupt) else _SAVE_S)
                self._bench.put_all_back()
                self._ownership.leave()
                raise
            finally:
                self._end_workers(server, _SAVE_S)
        self._ownership.leave()
        if hopeless := self._bench.failures.hopeless:
            raise UserError(f"{hopeless}; once that is mended the same command goes on")
        return self._queue.done() or (not self.stop.asked and time.monotonic() >= self._deadline)

    # What is to be done

    @property
    def _ending(self) -> bool:
        """Whether what runs is to be ended."""
        return self.stop.asked or bool(self._bench.failures.hopeless)

    def _may_begin(self) -> bool:
        return not self._ending and time.monotonic() < self._deadline

    def _done(self) -> bool:
        if self._bench.jobs and not self._ending:
            return False
        if not self._may_begin():
            return True
        if time.monotonic() < self._next_search:
            return False
        return self._queue.done()

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

    def _fill(self, course: Course) -> None:
        """Puts a trial into each free slot."""
        for slot in self._slots:
            if slot.index in self._bench.jobs or not self._may_begin() or time.monotonic() < self._next_search:
                continue
            found = self._queue.next(self._bench.ids())
            if found is None:
                self._next_search = time.monotonic() + _SEARCH_S
                return
            job = self._job(*found)
            if job is None:
                continue
            self._bench.jobs[slot.index] = job
            with self._bench.holding(slot.index) as mine:
                if mine:
                    course.go_on(job, slot)

    def _job(self, trial: optuna.Trial, died: bool) -> Job | None:
        """A trial in hand, if its point can be trained."""
        begun = attributes.RUN in trial.user_attrs
        if not begun and (reason := self._sweep.objection(self._sweep.space.suggest(trial))):
            self._bench.refuse(trial, reason)
            return None
        job = Job(trial, self._sweep, self._runs, self._parent, self._study.study_name)
        if died:
            job.died("its supervisor died")
        return job

    # What is heard and seen

    def _answer(self, message: Message) -> Message:
        """What a trial's process is told when it says something."""
        slot = self._bench.slot_of(message["number"])
        if slot is None or (worker := self._bench.jobs[slot].worker) is None:
            return {"prune": False}
        job = self._bench.jobs[slot]
        with self._bench.holding(slot) as mine:
            if mine and "values" in message:
                worker.result = message
            elif mine and message["place"] not in self._bench.stored(job).intermediate_values:
                job.trial.report(message["value"], message["place"])
                self._bench.tell("reported", job)
                return {"prune": bool(job.trial.should_prune())}
        return {"prune": False}  # also if it died further on, and was judged here before

    def _reap(self, course: Course) -> None:
        """Deals with the processes that have ended."""
        for slot in self._slots:
            job = self._bench.jobs.get(slot.index)
            worker = None if job is None else job.worker
            if job is None or worker is None:
                continue
            self.stop.happened()
            if (status := worker.status) is None:
                if job.overdue:
                    worker.stop(_STOP_S)
                continue
            worker.end()  # what it started, too
            with self._bench.holding(slot.index) as mine:
                if mine:
                    course.ended(job, slot, worker, status, stopping=self._ending)

    # The end

    def _stop_all(self, server: Server, course: Course) -> None:
        """Lets the processes save what they have and end."""
        deadline = time.monotonic() + 2 * _STOP_S
        while self._bench.jobs and time.monotonic() < deadline:
            for worker in self._bench.workers():
                worker.stop(_STOP_S)
            server.serve(self._answer, TICK_S)
            self._reap(course)

    def _end_workers(self, server: Server, patience_s: float) -> None:
        """Ends the processes; for so long they may save what they have."""
        workers = self._bench.workers()
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
