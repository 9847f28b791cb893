"""How a trial goes on: which training comes next, and what follows when one has ended."""

from __future__ import annotations

import math

from optuna.trial import TrialState

from s2s_lit.tracking.client.sweep_runs import Outcome, SweepRuns
from s2s_lit.tuning.execution.bench import Bench
from s2s_lit.tuning.execution.job import Job
from s2s_lit.tuning.execution.slots import Slot
from s2s_lit.tuning.execution.starter import Starter
from s2s_lit.tuning.execution.worker import Worker, said


class Course:
    """The course of every trial of one supervisor.

    Args:
        bench: The trials in hand.
        starter: Starts their processes.
        runs: The MLflow side, which knows what came of a training.
    """

    def __init__(self, bench: Bench, starter: Starter, runs: SweepRuns) -> None:
        self._bench, self._starter, self._runs = bench, starter, runs

    def go_on(self, job: Job, slot: Slot) -> None:
        """Starts what is to be trained next; ends the trial if nothing is, or if it may not be tried again."""
        while slot.index in self._bench.jobs:
            seed = job.next_seed()
            if seed is None:
                self._bench.end(slot.index, TrialState.COMPLETE)
                return
            run_id = job.run_of(seed)
            outcome = self._runs.outcome(run_id)  # known if whoever saw it end was killed before it could tell
            if outcome is None and job.retries > self._starter.sweep.retries:
                self._bench.end(slot.index, TrialState.FAIL, job.last_death())
            elif outcome is None:
                job.started(self._starter.start(job, slot, seed, run_id))
                self._bench.tell("started", job)
                return
            else:
                self._settle(job, slot, seed, outcome)

    def ended(self, job: Job, slot: Slot, worker: Worker, status: int, *, stopping: bool) -> None:
        """Deals with a process that has ended; `stopping` says that the sweep itself ends."""
        outcome = self._outcome(worker, status)
        if outcome is not None:
            job.span("pruned" if outcome.pruned else "finished")
            self._settle(job, slot, worker.work.seed, outcome)
        elif job.overdue:
            job.span("failed")
            reason = f"it took longer than trial_hours: {self._starter.sweep.trial_hours:g}"
            self._bench.end(slot.index, TrialState.FAIL, reason)
        elif stopping:
            job.span("stopped")
            self._bench.put_back(slot.index)
        elif status < 0 or status > 128:
            job.span("died")
            job.died(said(status))
            self._bench.tell("retried", job)
        else:
            job.span("failed")
            self._bench.end(slot.index, TrialState.FAIL, worker.last_words() or said(status))
        if slot.index in self._bench.jobs:
            self.go_on(job, slot)

    def _outcome(self, worker: Worker, status: int) -> Outcome | None:
        """What a process that has ended said, or what its run says if it could no longer speak."""
        if status == 0 and worker.result is not None:
            values = worker.result["values"]
            return Outcome(pruned=values is None, values=values or {})
        return self._runs.outcome(worker.work.run_id)

    def _settle(self, job: Job, slot: Slot, seed: int, outcome: Outcome) -> None:
        """One training is finished or pruned."""
        broken = [name for name, value in outcome.values.items() if not math.isfinite(value)]
        if outcome.pruned:
            self._bench.end(slot.index, TrialState.PRUNED)
        elif broken:
            self._bench.end(slot.index, TrialState.FAIL, f"{broken[0]} is {outcome.values[broken[0]]}")
        else:
            job.seed_done(seed, outcome.values)
