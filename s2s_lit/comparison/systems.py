"""Which runs a comparison is about, and what they predicted."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.connection import connect
from s2s_lit.tracking.client.failures import answering
from s2s_lit.tracking.client.runs import RunRecord, find_run, list_runs
from s2s_lit.tracking.records.predictions import parse_line
from s2s_lit.types import Prediction

_NO_SETTINGS = ("seed", "data.seed", "experiment")  # a copy under another name is the same experiment
_FOUND = ("parameters.", "vocabulary.", "pretrained.")  # logged as parameters, but not configured
_PLACE = "data.source.data_dir"  # on this machine; the sentences themselves are compared

Differences = dict[str, tuple[str | None, str | None]]
"""Settings that are not the same: of the first, of the other; None where one has no such setting."""


@dataclass(frozen=True)
class LeftOut:
    """A finished run that is not taken, and the settings in which it differs; without any it repeats a seed."""

    run: RunRecord
    differences: Differences

    def __str__(self) -> str:
        why = in_words(self.differences) if self.differences else f"seed {self.run.params.get('seed', '')} again, older"
        return f"{self.run.run_id[:8]} ({why})"


@dataclass(frozen=True)
class System:
    """What one word of RUNS means: one run, or the runs of an experiment with the same configuration but for the seed.

    Attributes:
        name: What it is called in tables.
        runs: In the order of their seeds.
        predictions: Of each run, in the order of the split.
        left_out: Finished runs of the experiment with another configuration, or a repeated seed.
    """

    name: str
    runs: tuple[RunRecord, ...]
    predictions: tuple[list[Prediction], ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def networks(self) -> set[str]:
        """The ids of the trainings: an evaluation's is that of the run it evaluated."""
        return {
            run.tags.get("mlflow.parentRunId", run.run_id) if is_evaluation(run) else run.run_id for run in self.runs
        }

    @property
    def seeds(self) -> set[str]:
        return {run.params.get("seed", "") for run in self.runs}

    @property
    def code(self) -> set[str]:
        """Whose code made the runs."""
        return {code(run) for run in self.runs}


def find_systems(selectors: Sequence[str], split: str, *, dataset: str | None = None) -> list[System]:
    """A system for each selector, with predictions of the same sentences.

    Args:
        selectors: Experiments' names (all seeds), or what `find_run` takes; an evaluation's id stands for itself.
        split: Whose predictions are read: the run's own, else those of its newest finished evaluation with the run's
            own settings.
        dataset: Look only at runs on this data set.

    Raises:
        UserError: nothing fits; a run has no predictions of the split; the test sets differ.
    """
    systems = []
    for selector in dict.fromkeys(selectors):
        name, runs, left_out = _runs_of(selector, dataset)
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


def configuration(run: RunRecord) -> dict[str, str]:
    """A run's configuration without its seed and its name, under the keys that a user types."""
    found = {}
    for key, value in (run.params | _changed_later(run)).items():
        short = key.replace(".init_args", "").removesuffix(".class_path")
        if short not in _NO_SETTINGS and not short.startswith(_FOUND) and ".batcher.chosen." not in short:
            found[short] = value
    return found


def differences(first: RunRecord, other: RunRecord) -> Differences:
    """The settings in which two runs differ, seeds aside."""
    ours, theirs = configuration(first), configuration(other)
    keys = (*ours, *(key for key in theirs if key not in ours))
    return {key: (ours.get(key), theirs.get(key)) for key in keys if ours.get(key) != theirs.get(key)}


def in_words(settings: Differences, limit: int = 4) -> str:
    """The first few differences as a line of text, the first's value before the other's."""
    said = [f"{key} {'-' if a is None else a} → {'-' if b is None else b}" for key, (a, b) in settings.items()]
    more = [f"{len(said) - limit} more"] if len(said) > limit else []
    return ", ".join([*said[:limit], *more])


def code(run: RunRecord) -> str:
    """The commit that a run was made with, and whether it was changed; empty where that was not recorded."""
    commit = run.tags.get("mlflow.source.git.commit", "")[:8]
    return f"{commit} with uncommitted changes" if run.tags.get("s2s.git.dirty") == "true" else commit


def same_code(systems: Sequence[System]) -> bool:
    """Whether one commit, without changes, is known to have made all runs."""
    made = set().union(*(system.code for system in systems))
    return len(made) == 1 and all(run.tags.get("s2s.git.dirty") == "false" for s in systems for run in s.runs)


def is_evaluation(run: RunRecord) -> bool:
    return run.kind == "evaluate"


def read_predictions(run_id: str, split: str) -> list[Prediction]:
    """The predictions of a split that a run keeps, in the split's order."""
    client = connect()
    with tempfile.TemporaryDirectory() as folder, answering(client.tracking_uri):
        file = Path(client.download_artifacts(run_id, _path(split), folder))
        lines = file.read_text(encoding="utf-8").split("\n")  # splitlines() would break at more than line feeds
    return [parse_line(line, row) for row, line in enumerate(lines) if line]


def _changed_later(run: RunRecord) -> dict[str, str]:
    """What a resumed training changed: logged parameters stay, so it stands in a tag."""
    text = run.tags.get("s2s.drift", "{}")
    try:
        return {key: now for key, (_, now) in json.loads(text).items()}
    except ValueError:  # too much for a tag
        return {"s2s.drift": text}


def _runs_of(selector: str, dataset: str | None) -> tuple[str, list[RunRecord], list[LeftOut]]:
    """The name, the runs by seed, and what was left out.

    Of an experiment's configurations the one with the most seeds is taken, the newest of several; of each seed the
    newest run.
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
    """The id of the run that keeps the predictions, and evaluations that have some of other settings.

    It is the run itself, or its newest finished evaluation with the same settings.
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


def _no_predictions(missing: Sequence[tuple[RunRecord, list[LeftOut]]], split: str) -> str:
    names = ", ".join(f"{run.name} ({run.run_id[:8]})" for run, _ in missing)
    said = [f"no predictions of the {split} split are kept of {names}; make them first:"]
    said += [f"  make evaluate RUN={run.run_id[:8]} SPLIT={split}" for run, _ in missing]
    others = [f"  {evaluation}" for _, evaluations in missing for evaluation in evaluations]
    if others:
        said += ["or compare evaluations with other settings by their own ids:", *others]
    return "\n".join(said)


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
