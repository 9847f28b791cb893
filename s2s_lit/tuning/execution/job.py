"""One trial in the hands of its supervisor: which seeds are done, which process trains the next, what came of it."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Mapping

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from s2s_lit.tracking.client import sweep_runs as tags
from s2s_lit.tracking.client.sweep_runs import SweepRuns
from s2s_lit.tracking.process_identity import place
from s2s_lit.tuning.execution.worker import Worker
from s2s_lit.tuning.search.sweep_file import Sweep
from s2s_lit.tuning.study import attributes


class Job:
    """A running trial that this supervisor owns.

    What is known of it stands in the trial's attributes and in its MLflow run, so that another supervisor can go on
    from there; this object only reads and writes them.

    Args:
        trial: The trial.
        sweep: What it is a trial of.
        runs: The MLflow side.
        parent: The sweep's run.
        name: The study's name.
    """

    def __init__(self, trial: optuna.Trial, sweep: Sweep, runs: SweepRuns, parent: str, name: str) -> None:
        self.trial, self.sweep, self.runs = trial, sweep, runs
        self.point = sweep.space.suggest(trial)
        self.worker: Worker | None = None
        self._parent, self._name = parent, f"{name}-{trial.number:03}"
        self.run_id = self._run("trial", parent, self._name, {tags.POINT: json.dumps(self.point)}, attributes.RUN)

    @property
    def number(self) -> int:
        return self.trial.number

    @property
    def retries(self) -> int:
        """How many of its processes have died."""
        return int(self.trial.user_attrs.get(attributes.RETRIES, 0))

    @property
    def log(self) -> str:
        """Its name among the sweep's logs."""
        return f"{self._name}.log"

    def next_seed(self) -> int | None:
        """The seed to be trained next; None when all are done."""
        known = self.trial.user_attrs
        return next((seed for seed in self.sweep.seeds if f"{attributes.SEED}{seed}" not in known), None)

    def run_of(self, seed: int) -> str:
        """The MLflow run of one training: the trial's own, or one below it if there are several seeds."""
        if len(self.sweep.seeds) == 1:
            return self.run_id
        name = f"{self._name}-seed{seed}"
        return self._run("seed", self.run_id, name, {tags.SEED: str(seed)}, f"{attributes.RUN}:{seed}")

    def _run(self, kind: str, parent: str, name: str, more: Mapping[str, str], attribute: str) -> str:
        """The run that the trial names; else one that was created before its supervisor died; else a new one.

        One that is to go on is this process's from now on.
        """
        known = self.trial.user_attrs.get(attribute)
        if known is not None:
            if self.runs.outcome(known) is None:
                self.runs.resume(known)
            return str(known)
        which = {tags.TRIAL: str(self.number), **({tags.SEED: more[tags.SEED]} if kind == "seed" else {})}
        found = self.runs.find(parent, {"s2s.kind": kind, **which}) or self.runs.create(
            kind, name, parent, {**which, **more}
        )
        self.trial.set_user_attr(attribute, found)
        return found

    def started(self, worker: Worker) -> None:
        """A process trains it."""
        self.worker = worker
        self.trial.set_user_attr(attributes.PROCESS, worker.identity)

    def died(self, reason: str) -> None:
        """A process has died; counted in the study and in MLflow."""
        deaths = [*self.trial.user_attrs.get(attributes.DEATHS, []), reason]
        self.trial.set_user_attr(attributes.DEATHS, deaths)
        self.trial.set_user_attr(attributes.RETRIES, self.retries + 1)
        self.runs.tag(self.run_id, {tags.RETRIES: str(self.retries), "s2s.deaths": "; ".join(deaths)})

    @property
    def overdue(self) -> bool:
        """Whether its processes, here and elsewhere, have worked longer than those of a trial may."""
        if self.sweep.trial_hours is None or self.worker is None:
            return False
        before = sum(span["end"] - span["start"] for span in self.trial.user_attrs.get(attributes.SPANS, []))
        return bool(before + time.time() - self.worker.since > 3600 * self.sweep.trial_hours)

    def last_death(self) -> str:
        """Why no further process is started."""
        deaths = self.trial.user_attrs.get(attributes.DEATHS, ["unknown"])
        return f"{len(deaths)} of its processes died; the last: {deaths[-1]}"

    def span(self, outcome: str) -> None:
        """Notes who worked on it, from when to when, for the timeline."""
        worker = self.worker
        if worker is None:
            return
        own = {"host": place()["host"], "slot": worker.slot.index, "outcome": outcome}
        own |= {"start": round(worker.since, 2), "end": round(time.time(), 2)}
        self.trial.set_user_attr(attributes.SPANS, [*self.trial.user_attrs.get(attributes.SPANS, []), own])
        self.worker = None

    def stopped(self) -> None:
        """Nobody goes on with it for now; its processes may have been killed before they could say so."""
        if len(self.sweep.seeds) > 1 and (run := self.trial.user_attrs.get(f"{attributes.RUN}:{self.next_seed()}")):
            self.runs.end(run, "KILLED")
        self.runs.end(self.run_id, "KILLED")

    def seed_done(self, seed: int, values: Mapping[str, float]) -> None:
        """One training is finished."""
        self.trial.set_user_attr(f"{attributes.SEED}{seed}", dict(values))

    def means(self) -> list[float]:
        """Each objective's mean over the seeds."""
        each = [self.trial.user_attrs[f"{attributes.SEED}{seed}"] for seed in self.sweep.seeds]
        return [statistics.fmean(values[objective.name] for values in each) for objective in self.sweep.objectives]

    def end(self, study: optuna.Study, state: TrialState, *, reason: str = "", log: str = "") -> list[float] | None:
        """Says what came of it: in MLflow first, then in the study. The values of a complete one.

        Raises:
            UpdateFinishedTrialError: another supervisor took it over and has ended it.
        """
        values = self.means() if state == TrialState.COMPLETE else None
        said = {tags.STATE: state.name, tags.RETRIES: str(self.retries)}
        if values is not None:
            found = {o.name: value for o, value in zip(self.sweep.objectives, values, strict=True)}
            said[tags.VALUES] = json.dumps(found)
            if len(self.sweep.seeds) > 1:
                self.runs.metrics(self.run_id, {f"objective/{name}": value for name, value in found.items()})
        if state == TrialState.PRUNED:
            said[tags.PRUNED] = "true"
        if state == TrialState.FAIL:
            said[tags.ERROR] = reason
            self.trial.set_user_attr(attributes.FAILURE, reason)
            seed = self.next_seed()
            if seed is not None and len(self.sweep.seeds) > 1:
                self.runs.end(self.run_of(seed), "FAILED")
        self.runs.tag(self.run_id, said)
        if log:
            self.runs.text(self.run_id, log, "trial.log")
        self.runs.end(self.run_id, "FAILED" if state == TrialState.FAIL else "FINISHED")
        try:
            study.tell(self.trial, values, state)
        except ValueError as error:
            raise UpdateFinishedTrialError(f"trial {self.number}: {error}") from error
        return values
