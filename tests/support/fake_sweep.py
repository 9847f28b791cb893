"""A sweep of fake trials, through all of the program's own machinery: `python fake_sweep.py STORAGE TRIALS WORKERS`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna

from s2s_lit.tracking.client.runs import RunRecord, list_runs
from s2s_lit.tracking.client.sweep_runs import RETRIES, STATE, TRIAL, VALUES
from s2s_lit.tracking.lifecycle import mark_dead_runs
from s2s_lit.tuning.execution.slots import make_slots
from s2s_lit.tuning.execution.sweep import Pace, search
from s2s_lit.tuning.search.objectives import Objective
from s2s_lit.tuning.search.space import Number, Space
from s2s_lit.tuning.search.sweep_file import Sweep
from s2s_lit.tuning.study import attributes
from s2s_lit.tuning.study.storage import open_storage

NAME = "fake"
TRIAL_COMMAND = (sys.executable, str(Path(__file__).with_name("fake_trial.py")))
QUICK = Pace(beat_s=0.5, grace_s=10.0, settle_s=0.5, unowned_s=3.0)


class FakeSweep(Sweep):
    """There is no configuration behind it."""

    def composed(self) -> str:
        return ""

    def objection(self, point: Mapping[str, Any]) -> str:
        above = float(os.environ.get("FAKE_TRIAL_REFUSED_ABOVE", "2"))
        return "x cannot be built" if point["x"] > above else self.space.refuse(point)


def fake_sweep(trials: int, **changes: Any) -> Sweep:
    """One parameter, x in [0, 1]."""
    settings = {
        "name": NAME,
        "what": "",
        "experiment": "fake",
        "dataset": "none",
        "space": Space((Number("x", ("x",), 0.0, 1.0, False, None, False),)),
        "objectives": (Objective("val/score", True),),
        "sampler": {"name": "random"},
        "pruner": {"name": "median", "startup_trials": 2},
        "retries": 3,
    }
    return FakeSweep(trials=trials, **{**settings, **changes})


def run(storage: str, trials: int, workers: int, **changes: Any) -> bool:
    """What `s2s sweep` does, but for reading a file."""
    mark_dead_runs()
    sweep = fake_sweep(trials, **changes)
    return search(sweep, NAME, storage, make_slots(workers, []), command=TRIAL_COMMAND, pace=QUICK)


def require_agreement(storage: str, trials: int) -> list[optuna.trial.FrozenTrial]:
    """Nothing is lost, doubled or left: the study has its trials, and MLflow says the same of each. The trials."""
    study = optuna.load_study(study_name=NAME, storage=open_storage(storage))
    found = study.get_trials()
    assert [trial.number for trial in found] == list(range(len(found)))
    assert len(found) == trials
    assert all(trial.state.is_finished() for trial in found)
    assert len({trial.params["x"] for trial in found}) == len(found)
    (parent,) = runs_of_kind("sweep")
    assert parent.run_id == study.user_attrs[attributes.PARENT]
    assert parent.status == "FINISHED"
    below = {int(run.tags[TRIAL]): run for run in runs_of_kind("trial")}
    assert len(below) == len(runs_of_kind("trial")) == len(found)
    for trial in found:
        require_same(trial, below[trial.number])
    return found


def require_same(trial: optuna.trial.FrozenTrial, run: RunRecord) -> None:
    """A trial and its run say the same."""
    assert run.run_id == trial.user_attrs[attributes.RUN]
    assert run.tags[STATE] == trial.state.name
    assert run.status == ("FAILED" if trial.state.name == "FAIL" else "FINISHED")
    assert (run.tags.get("s2s.pruned") == "true") == (trial.state.name == "PRUNED")
    assert int(run.tags[RETRIES]) == trial.user_attrs.get(attributes.RETRIES, 0)
    assert len(trial.user_attrs.get(attributes.DEATHS, [])) == trial.user_attrs.get(attributes.RETRIES, 0)
    if trial.state.name == "COMPLETE":
        assert run.tags[VALUES] == f'{{"val/score": {trial.value!r}}}'


def runs_of_kind(kind: str) -> list[RunRecord]:
    return list_runs(f"tags.`s2s.kind` = '{kind}'", limit=100_000)


def main(argv: Sequence[str]) -> int:
    storage, trials, workers = argv
    return 0 if run(storage, int(trials), int(workers)) else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
