"""What is left of a sweep when its trials are finished: a table, the best experiment as a file, pictures in its run."""

from __future__ import annotations

from pathlib import Path

import optuna

from s2s_lit.tracking.sweeps import SweepRuns
from s2s_lit.tuning.progress import best_trial
from s2s_lit.tuning.sweep_file import Sweep


def summarize(sweep: Sweep, study: optuna.Study, runs: SweepRuns, parent: str, *, out: Path | None = None) -> None:
    """Prints and keeps it; nothing if no trial is complete."""
    best = best_trial(study)
    if best is None:
        print("\nno trial is complete, so there is no best one")
        return
    print(f"best: trial {best.number} {best.values} {best.params}")
