"""Which runs a comparison takes, and what they predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from s2s_lit.comparison.systems import LeftOut, System, differences, is_evaluation
from s2s_lit.errors import UserError
from s2s_lit.scratch import scratch_folder
from s2s_lit.tracking.client.connection import connect
from s2s_lit.tracking.client.failures import answering
from s2s_lit.tracking.client.runs import RunRecord, find_run, list_runs
from s2s_lit.tracking.records.predictions import parse_line
from s2s_lit.types import Prediction

_PLACE = "data.corpus.data_dir"  # where the data lie on this machine; the texts themselves are compared


def find_systems(selectors: Sequence[str], split: str, *, dataset: str | None = None) -> list[System]:
    """A system for each selector, with predictions of the same examples.

    Args:
        selectors: Experiments' names (all seeds), or what `find_run` takes. An evaluation's id stands for itself.
        split: The split whose predictions are read: the run's own, else those of its newest finished evaluation with
            the run's own settings.
        dataset: Look only at runs on this data set.

    Raises:
        UserError: No run fits, the runs learnt different tasks, a run has no predictions of the split, or the
            predictions are of different examples.
    """
    chosen = [_runs_of(selector, dataset) for selector in dict.fromkeys(selectors)]
    _require_one_task([run for _, runs, _ in chosen for run in runs])
    systems = []
    for name, runs, left_out in chosen:
        owners = [_owner(run, split) for run in runs]
        missing = [(run, others) for run, (owner, others) in zip(runs, owners, strict=True) if owner is None]
        if missing:
            raise UserError(_no_predictions(missing, split))
        found = tuple(read_predictions(owner, split) for owner, _ in owners if owner)
        systems.append(System(name, tuple(runs), found, tuple(left_out)))
    systems = _with_own_names(systems)
    for system in systems:
        for run, predictions in zip(system.runs, system.predictions, strict=True):
            _require_same(systems[0], run, predictions, split)
    return systems


def read_predictions(run_id: str, split: str) -> list[Prediction]:
    """The predictions of a split that a run keeps, in the split's order."""
    client = connect()
    with scratch_folder() as folder, answering(client.tracking_uri):
        file = Path(client.download_artifacts(run_id, _path(split), str(folder)))
        lines = file.read_text(encoding="utf-8").split("\n")  # splitlines() would break at more than line feeds
    return [parse_line(line, row) for row, line in enumerate(lines) if line]


def _runs_of(selector: str, dataset: str | None) -> tuple[str, list[RunRecord], list[LeftOut]]:
    """The system's name, its runs by seed, and what was left out.

    If an experiment was run with several configurations, the one with the most seeds is taken, and of several such the
    newest. Of each seed the newest run is taken.
    """
    trained = list_runs("tags.`s2s.kind` = 'train' and attributes.status = 'FINISHED'")
    named = [run for run in trained if run.experiment == selector and dataset in (None, run.dataset)]
    if not named:
        own = [run for run in list_runs("tags.`s2s.kind` = 'evaluate'") if _is(run, selector)]
        run = own[0] if len(own) == 1 else find_run(selector, dataset=dataset)
        return run.name, [run], []
    groups: list[dict[str, RunRecord]] = []
    for run in named:  # newest first
        group = next((g for g in groups if not differences(next(iter(g.values())), run)), None)
        if group is None:
            groups.append(group := {})
        group.setdefault(run.params.get("seed", ""), run)
    chosen = max(groups, key=len)
    runs = [chosen[seed] for seed in sorted(chosen, key=_number)]
    ids = {run.run_id for run in runs}
    return selector, runs, [LeftOut(run, differences(runs[0], run)) for run in named if run.run_id not in ids]


def _is(run: RunRecord, selector: str) -> bool:
    return run.name == selector or (len(selector) >= 6 and run.run_id.startswith(selector))


def _number(seed: str) -> tuple[int, str]:
    return (int(seed) if seed.lstrip("-").isdigit() else 0, seed)


def _path(split: str) -> str:
    return f"predictions/{split}.jsonl"


def _owner(run: RunRecord, split: str) -> tuple[str | None, list[LeftOut]]:
    """The id of the run that keeps the predictions, and the evaluations that keep some but have other settings.

    The predictions are those of the run itself, or of its newest finished evaluation with the same settings.
    """
    below = list_runs(f"tags.`mlflow.parentRunId` = '{run.run_id}' and attributes.status = 'FINISHED'")
    others: list[LeftOut] = []
    client = connect()
    with answering(client.tracking_uri):
        for candidate in (run, *filter(is_evaluation, below)):
            if all(file.path != _path(split) for file in client.list_artifacts(candidate.run_id, "predictions")):
                continue
            differing = differences(run, candidate)
            differing.pop(_PLACE, None)
            if not differing:
                return candidate.run_id, others
            others.append(LeftOut(candidate, differing))
    return None, others


def _require_one_task(runs: Sequence[RunRecord]) -> None:
    first = runs[0]
    for run in runs:
        if run.task != first.task:
            raise UserError(
                f"{first.name} ({first.run_id[:8]}) learnt the task {first.task!r} and {run.name} ({run.run_id[:8]}) "
                f"the task {run.task!r}, so their scores cannot be compared: choose runs of one task"
            )


def _no_predictions(missing: Sequence[tuple[RunRecord, list[LeftOut]]], split: str) -> str:
    names = ", ".join(f"{run.name} ({run.run_id[:8]})" for run, _ in missing)
    said = [f"no predictions of the {split} split are kept of {names}; make them first:"]
    said += [f"  make evaluate RUN={run.run_id[:8]} SPLIT={split}" for run, _ in missing]
    others = [f"  {evaluation}" for _, evaluations in missing for evaluation in evaluations]
    if others:
        said += ["or compare evaluations with other settings by their own ids:", *others]
    return "\n".join(said)


def _with_own_names(systems: list[System]) -> list[System]:
    """The systems, with the run's id in the name where two have the same one."""
    names = [system.name for system in systems]
    return [
        replace(system, name=f"{system.name} {system.runs[0].run_id[:8]}") if names.count(system.name) > 1 else system
        for system in systems
    ]


def _require_same(first: System, run: RunRecord, predictions: list[Prediction], split: str) -> None:
    expected = first.predictions[0]
    for what in ("inputs", "references"):
        ours, theirs = ([getattr(p, what) for p in side] for side in (expected, predictions))
        if ours != theirs:
            place = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
            where = f"{len(ours)} and {len(theirs)} examples" if place is None else f"line {place + 1} differs"
            raise UserError(
                f"{first.name} ({first.runs[0].dataset}) and {run.name} ({run.dataset}) were scored on different "
                f"{what} of the {split} split ({where}), so their scores cannot be compared: choose runs on the same "
                "data (DATA=..., --dataset), or score one again: "
                f"make evaluate RUN={run.run_id[:8]} SPLIT={split}"
            )
    if not expected:
        raise UserError(f"the {split} split of {run.name} has no example, so there is nothing to compare")
