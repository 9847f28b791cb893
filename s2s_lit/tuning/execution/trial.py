"""One training of a trial, as `s2s train` does it, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2s_lit.errors import DivergenceError
from s2s_lit.tracking.process_identity import process_alive
from s2s_lit.tuning.execution.channel import Client
from s2s_lit.tuning.execution.work import Work
from s2s_lit.tuning.search.objectives import COSTS, Objective, Pruned

if TYPE_CHECKING:
    from jsonargparse import Namespace

    from s2s_lit.tracking.logger import MlflowTracker

_LOOK_S = 1.0
_LAST_WORDS_S = 30.0


Report = Callable[[int, float], bool]
"""Told the place in the training and the first objective's value there; whether to prune."""
Train = Callable[[Work, Report], "dict[str, float] | None"]
"""Trains as the run of the work; the objectives' values, None if it was pruned. The run says so, too, when it ends."""


def run_trial(file: Path, words: Sequence[str]) -> int:
    """What a supervisor wrote into a file is trained: 0 when the training is finished or was pruned.

    Args:
        file: The supervisor's.
        words: The command line, with which each of several processes is started.
    """
    from s2s_lit.config.compose import compose
    from s2s_lit.processes import joined, rank
    from s2s_lit.training.launch import launch, processes_to_start

    work = Work.read(file)
    end_with(work.supervisor)
    with joined():
        config = compose(work.experiment, work.dataset, work.overrides)
        processes = processes_to_start(config.trainer)
        if processes > 1:
            return launch(processes, words)
        return speak(work, partial(train_tracked, config), first=rank() == 0)


def speak(work: Work, train: Train, *, first: bool = True) -> int:
    """Trains, and tells the supervisor how it goes and what came of it; of several processes the first alone does."""
    client = Client(work.address, bytes.fromhex(work.key)) if first else None
    who = {"number": work.number, "seed": work.seed}

    def report(place: int, value: float) -> bool:
        if client is None:
            raise RuntimeError("the first process alone reports")
        return work.reports and bool(client.ask({**who, "place": place, "value": value})["prune"])

    values = train(work, report)
    if client is not None:
        client.ask({**who, "values": values})
    return 0


def train_tracked(config: Namespace, work: Work, report: Report) -> dict[str, float] | None:
    """A training within the MLflow run that it is; it goes on from where a process that was killed had come."""
    from s2s_lit.processes import failing_together, from_first
    from s2s_lit.tracking.client.sweep_runs import PRUNED, VALUES
    from s2s_lit.tracking.lifecycle import tracked_run
    from s2s_lit.tracking.logger import MlflowTracker
    from s2s_lit.training.restart_files import RESTART

    tracker = MlflowTracker(
        dataset=work.dataset,
        experiment=work.experiment,
        kind="trial",
        run_id=work.run_id,
        words=["train", work.experiment, f"--dataset={work.dataset}", *work.overrides],
    )
    with tracked_run(tracker), failing_together():
        point = tracker.run_dir / RESTART
        try:
            values = train_experiment(config, work, tracker, report, point if from_first(point.is_file) else None)
        except (Pruned, DivergenceError) as pruned:  # a sampler learns from it where not to look
            print(pruned, flush=True)
            # Of the many that are pruned nobody reads them again; the best before a divergence has yet to be uploaded.
            for left in tracker.run_dir.glob("*.ckpt") if isinstance(pruned, Pruned) else [point]:
                left.unlink(missing_ok=True)
            tracker.set_tags({PRUNED: "true"})
            return None
        tracker.set_tags({VALUES: json.dumps(values)})
        return values


def train_experiment(
    config: Namespace, work: Work, tracker: MlflowTracker, report: Report, resume_from: Path | None
) -> dict[str, float]:
    """What `s2s train` does with this configuration; the objectives' values."""
    from s2s_lit.training.fine_tuning import resolved
    from s2s_lit.training.restart_files import read_restart, require_as_many
    from s2s_lit.training.run import run
    from s2s_lit.tuning.execution.costs import measured
    from s2s_lit.tuning.execution.reporter import Reporter

    if resume_from is not None:
        require_as_many(read_restart(resume_from))
        print("goes on from its restart point", flush=True)
    config = resolved(config)
    objectives = [Objective(name, high) for name, high in work.objectives]
    reporter = Reporter(objectives=[o for o in objectives if o.name not in COSTS], report=report)
    task, _ = run(config, tracker, [reporter], resume_from=resume_from)
    found = {**reporter.values, **measured([o.name for o in objectives if o.name in COSTS], task, config)}
    tracker.log_metrics({f"objective/{name}": value for name, value in found.items()})
    return {objective.name: found[objective.name] for objective in objectives}


def end_with(supervisor: dict[str, Any]) -> None:
    """Nothing trains on that nobody waits for: once the supervisor is gone this process is ended as by SIGTERM."""
    threading.Thread(target=_end_with, args=[supervisor], daemon=True).start()


def _end_with(supervisor: dict[str, Any]) -> None:
    while process_alive(supervisor):
        time.sleep(_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LAST_WORDS_S)
    os.kill(os.getpid(), signal.SIGKILL)
