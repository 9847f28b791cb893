"""Starts the processes that train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from s2s_lit.tracking.process_identity import identity
from s2s_lit.tuning.execution.channel import Server
from s2s_lit.tuning.execution.job import Job
from s2s_lit.tuning.execution.slots import Slot
from s2s_lit.tuning.execution.work import Work
from s2s_lit.tuning.execution.worker import Worker
from s2s_lit.tuning.search.sweep_file import Sweep


@dataclass(frozen=True)
class Starter:
    """What all processes of a supervisor have in common.

    Attributes:
        sweep: What they train for.
        server: To which they report.
        folder: For the files that tell them what to do.
        logs: Folder of what they print.
        command: The program.
    """

    sweep: Sweep
    server: Server
    folder: Path
    logs: Path
    command: Sequence[str]

    def start(self, job: Job, slot: Slot, seed: int, run_id: str) -> Worker:
        """A process that trains one seed of a trial, as the MLflow run `run_id`."""
        sweep = self.sweep
        work = Work(
            number=job.number,
            seed=seed,
            experiment=sweep.experiment,
            dataset=sweep.dataset,
            overrides=sweep.overrides(job.point, seed),
            objectives=[[objective.name, objective.higher_is_better] for objective in sweep.objectives],
            run_id=run_id,
            address=self.server.address,
            key=self.server.key.hex(),
            supervisor=identity(),
            reports=len(sweep.objectives) == 1 and seed == sweep.seeds[0],
        )
        return Worker(work, slot, folder=self.folder, log=self.logs / job.log, command=self.command)
