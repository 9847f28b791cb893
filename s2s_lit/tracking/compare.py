"""Which runs a comparison is about, and what they predicted."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from s2s_lit.errors import UserError
from s2s_lit.tracking.connection import answering, connect
from s2s_lit.tracking.predictions import parse_line
from s2s_lit.tracking.store import RunRecord, find_run, list_runs
from s2s_lit.types import Prediction

_SEEDS = ("seed", "data.seed", "data.init_args.seed")
_FOUND = ("parameters.", "vocabulary.", "pretrained.")  # logged as parameters, but not configured


@dataclass(frozen=True)
class System:
    """What one word of RUNS means: one run, or the runs of an experiment that differ in their seed alone.

    Attributes:
        name: What it is called in tables.
        runs: In the order of their seeds.
        predictions: Of each run, in the order of the split.
        left_out: Finished runs of the experiment with another configuration, or a repeated seed.
    """

    name: str
    runs: tuple[RunRecord, ...]
    predictions: tuple[list[Prediction], ...]
    left_out: int = 0

    @property
    def configuration(self) -> dict[str, str]:
        """What the runs have in common."""
        return configuration(self.runs[0])


def find_systems(selectors: Sequence[str], split: str, *, dataset: str | None = None) -> list[System]:
    """A system for each selector, with predictions of the same sentences.

    Args:
        selectors: Experiments' names (all seeds), or what `find_run` takes; an evaluation's id stands for itself.
        split: Whose predictions are read: the run's own, else those of its newest finished evaluation.
        dataset: Look only at runs on this data set.

    Raises:
        UserError: nothing fits; a run has no predictions of the split; the test sets differ.
    """
    systems = []
    for selector in dict.fromkeys(selectors):
        name, runs, left_out = _runs_of(selector, dataset)
        owners = [_owner(run, split) for run in runs]
        missing = [run for run, owner in zip(runs, owners, strict=True) if owner is None]
        if missing:
            commands = "\n".join(f"  make evaluate RUN={run.run_id[:8]} SPLIT={split}" for run in missing)
            names = ", ".join(f"{run.name} ({run.run_id[:8]})" for run in missing)
            raise UserError(f"no predictions of the {split} split are kept of {names}; make them first:\n{commands}")
        systems.append(
            System(name, tuple(runs), tuple(read_predictions(owner, split) for owner in owners if owner), left_out)
        )
    systems = _with_own_names(systems)
    for system in systems:
        for run, predictions in zip(system.runs, system.predictions, strict=True):
            _require_same(systems[0], run, predictions, split)
    return systems


def configuration(run: RunRecord) -> dict[str, str]:
    """A run's configuration without its seed."""
    return {
        key: value
        for key, value in run.params.items()
        if key not in _SEEDS and not key.startswith(_FOUND) and ".batcher.chosen." not in key
    }


def read_predictions(run_id: str, split: str) -> list[Prediction]:
    """The predictions of a split that a run keeps, in the split's order."""
    client = connect()
    with tempfile.TemporaryDirectory() as folder, answering(client.tracking_uri):
        file = Path(client.download_artifacts(run_id, _path(split), folder))
        lines = file.read_text(encoding="utf-8").split("\n")  # splitlines() would break at more than line feeds
    return [parse_line(line, row) for row, line in enumerate(lines) if line]


def _runs_of(selector: str, dataset: str | None) -> tuple[str, list[RunRecord], int]:
    """The name, the runs by seed, and how many others were left out."""
    trained = list_runs("tags.`s2s.kind` = 'train' and attributes.status = 'FINISHED'")
    named = [run for run in trained if run.experiment == selector and dataset in (None, run.dataset)]
    if not named:
        own = [run for run in list_runs("tags.`s2s.kind` = 'evaluate'") if _is(run, selector)]
        run = own[0] if len(own) == 1 else find_run(selector, dataset=dataset)
        return run.name, [run], 0
    seeds: dict[str, RunRecord] = {}
    for run in named:  # newest first
        if configuration(run) == configuration(named[0]):
            seeds.setdefault(run.params.get("seed", ""), run)
    return selector, [seeds[seed] for seed in sorted(seeds, key=_number)], len(named) - len(seeds)


def _is(run: RunRecord, selector: str) -> bool:
    return run.name == selector or (len(selector) >= 6 and run.run_id.startswith(selector))


def _number(seed: str) -> tuple[int, str]:
    return (int(seed) if seed.lstrip("-").isdigit() else 0, seed)


def _path(split: str) -> str:
    return f"predictions/{split}.jsonl"


def _owner(run: RunRecord, split: str) -> str | None:
    """The id of the run that keeps the predictions: itself, or its newest finished evaluation that has them."""
    below = list_runs(f"tags.`mlflow.parentRunId` = '{run.run_id}' and attributes.status = 'FINISHED'")
    candidates = [run.run_id, *(other.run_id for other in below if other.kind == "evaluate")]
    client = connect()
    with answering(client.tracking_uri):
        for run_id in candidates:
            if any(file.path == _path(split) for file in client.list_artifacts(run_id, "predictions")):
                return run_id
    return None


def _with_own_names(systems: list[System]) -> list[System]:
    """Names that say which is which, where two runs were given the same one."""
    names = [system.name for system in systems]
    return [
        replace(system, name=f"{system.name} {system.runs[0].run_id[:8]}") if names.count(system.name) > 1 else system
        for system in systems
    ]


def _require_same(first: System, run: RunRecord, predictions: list[Prediction], split: str) -> None:
    expected = first.predictions[0]
    for what in ("source", "reference"):
        ours, theirs = ([getattr(p, what) for p in side] for side in (expected, predictions))
        if ours != theirs:
            place = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
            where = f"{len(ours)} and {len(theirs)} sentences" if place is None else f"line {place + 1} differs"
            raise UserError(
                f"{first.name} ({first.runs[0].dataset}) and {run.name} ({run.dataset}) were scored on different "
                f"{what}s of the {split} split ({where}), so their scores cannot be compared: choose runs on the same "
                "data (DATA=..., --dataset), or score one again: "
                f"make evaluate RUN={run.run_id[:8]} SPLIT={split}"
            )
    if not expected:
        raise UserError(f"the {split} split of {run.name} has no sentence, so there is nothing to compare")
