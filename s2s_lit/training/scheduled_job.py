"""The job of a scheduler (Slurm, or torchrun with an id) that this process belongs to."""

from __future__ import annotations

import os

from s2s_lit.processes import OURS

JOB = "s2s.job"
"""Tag of a run: the scheduler's job that it is trained in, the latest where it was resumed."""


def scheduled_job() -> tuple[str | None, bool]:
    """The job's name, and whether it was started again: requeued, or by torchrun; None where there is no scheduler."""
    environment = os.environ
    if "SLURM_JOB_ID" in environment:
        array = environment.get("SLURM_ARRAY_JOB_ID")
        job = f"{array}_{environment.get('SLURM_ARRAY_TASK_ID')}" if array else environment["SLURM_JOB_ID"]
        return f"slurm {job}", int(environment.get("SLURM_RESTART_COUNT", 0)) > 0
    if environment.get("TORCHELASTIC_RUN_ID", OURS) not in (OURS, "none"):
        again = int(environment.get("TORCHELASTIC_RESTART_COUNT", 0)) > 0
        return f"torchrun {environment['TORCHELASTIC_RUN_ID']}", again
    return None, False
