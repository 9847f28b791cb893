"""Which trials of a study are the best, and how a point is written in a line."""

from __future__ import annotations

from collections.abc import Mapping

import optuna
from optuna.trial import FrozenTrial, TrialState


def best_trial(study: optuna.Study) -> FrozenTrial | None:
    """The best complete trial, by the first objective if there are several; None if there is none."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        return None
    high = study.directions[0] == optuna.study.StudyDirection.MAXIMIZE
    return max(complete, key=lambda trial: (trial.values[0] if high else -trial.values[0], -trial.number))


def short_point(point: Mapping[str, object]) -> str:
    """A point in one line."""
    return "  ".join(
        f"{short_name(name)}={value:.3g}" if isinstance(value, float) else f"{short_name(name)}={value}"
        for name, value in point.items()
    )


def short_name(name: str) -> str:
    """A parameter's name without most of the way to it: `cosine/task.schedule.rise` is `cosine schedule.rise`."""
    *branches, path = name.split("/")
    return " ".join([*branches[-1:], ".".join(path.split(".")[-2:])])
