"""What a comparison is between: systems, each of one run or more, and the settings in which two runs differ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from s2s_lit.tracking.client.runs import RunRecord
from s2s_lit.types import Prediction

_IGNORED = ("seed", "data.seed", "experiment")  # a copy under another name is the same experiment
_MEASURED = ("parameters.", "vocabulary.", "pretrained.")  # logged as parameters, but not set by a configuration

Differences = dict[str, tuple[str | None, str | None]]
"""The settings that are not the same, with both values, the first's before the other's; None where one lacks it."""


@dataclass(frozen=True)
class LeftOut:
    """A finished run that is not taken, and the settings in which it differs: none if it only repeats a seed."""

    run: RunRecord
    differences: Differences

    def __str__(self) -> str:
        why = in_words(self.differences) if self.differences else f"seed {self.run.params.get('seed', '')} again, older"
        return f"{self.run.run_id[:8]} ({why})"


@dataclass(frozen=True)
class System:
    """What is compared: one run, or the runs of an experiment that have the same configuration but for the seed.

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
        """The ids of the training runs: for an evaluation, that of the run that it evaluated."""
        return {
            run.tags.get("mlflow.parentRunId", run.run_id) if is_evaluation(run) else run.run_id for run in self.runs
        }

    @property
    def task(self) -> str:
        """The name of the task that the runs learnt."""
        return self.runs[0].task

    @property
    def seeds(self) -> set[str]:
        return {run.params.get("seed", "") for run in self.runs}

    @property
    def code(self) -> set[str]:
        """The commits that the runs were made with."""
        return {code(run) for run in self.runs}


def configuration(run: RunRecord) -> dict[str, str]:
    """A run's settings under the keys that a user types, without its seed and its name."""
    found = {}
    for key, value in (run.params | _changed_later(run)).items():
        short = key.replace(".init_args", "").removesuffix(".class_path")
        if short not in _IGNORED and not short.startswith(_MEASURED) and ".batcher.chosen." not in short:
            found[short] = value
    return found


def differences(first: RunRecord, other: RunRecord) -> Differences:
    """The settings in which two runs differ, seeds aside."""
    ours, theirs = configuration(first), configuration(other)
    keys = (*ours, *(key for key in theirs if key not in ours))
    return {key: (ours.get(key), theirs.get(key)) for key in keys if ours.get(key) != theirs.get(key)}


def in_words(settings: Differences, limit: int = 4) -> str:
    """The first `limit` differences as a line of text."""
    said = [f"{key} {'-' if a is None else a} → {'-' if b is None else b}" for key, (a, b) in settings.items()]
    more = [f"{len(said) - limit} more"] if len(said) > limit else []
    return ", ".join([*said[:limit], *more])


def code(run: RunRecord) -> str:
    """The commit that a run was made with, and whether files were changed since; empty if it was not recorded."""
    commit = run.tags.get("mlflow.source.git.commit", "")[:8]
    return f"{commit} with uncommitted changes" if run.tags.get("s2s.git.dirty") == "true" else commit


def same_code(systems: Sequence[System]) -> bool:
    """Whether all runs are known to be made with one commit, without uncommitted changes."""
    commits = set().union(*(system.code for system in systems))
    return len(commits) == 1 and all(run.tags.get("s2s.git.dirty") == "false" for s in systems for run in s.runs)


def is_evaluation(run: RunRecord) -> bool:
    """Whether this run scored a trained network again."""
    return run.kind == "evaluate"


def _changed_later(run: RunRecord) -> dict[str, str]:
    """The settings that a resumed training changed. Logged parameters cannot change, so these stand in a tag."""
    text = run.tags.get("s2s.drift", "{}")
    try:
        return {key: now for key, (_, now) in json.loads(text).items()}
    except ValueError:  # too much for a tag
        return {"s2s.drift": text}
