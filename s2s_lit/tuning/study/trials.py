"""Which trials of a study are the best, and how a point is written in a line."""

from __future__ import annotations

from collections.abc import Mapping

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

CANNOT_BE_TRAINED = "cannot be trained"
"""The constraint that is violated by a point whose training could only fail."""


def infeasible(trial: FrozenTrial) -> bool:
    """Whether a point was refused before it was trained.

    Such a trial is PRUNED, so that samplers learn to avoid its point, and does not count among a sweep's trials.
    """
    return trial.state == TrialState.PRUNED and trial.constraints.get(CANNOT_BE_TRAINED, 0.0) > 0


def complete_trials(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that have their values."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def front(study: optuna.Study) -> list[FrozenTrial]:
    """The complete trials that no other one betters, the best in the first objective first: the Pareto front.

    With one objective it is the best trial, or several that are equal.
    """
    signs = [1 if direction == StudyDirection.MAXIMIZE else -1 for direction in study.directions]
    scored = [(trial, [s * v for s, v in zip(signs, trial.values, strict=True)]) for trial in complete_trials(study)]

    def bettered(own: list[float]) -> bool:
        return any(other != own and all(o >= v for o, v in zip(other, own, strict=True)) for _, other in scored)

    found = [(trial, own) for trial, own in scored if not bettered(own)]
    return [trial for trial, _ in sorted(found, key=lambda pair: ([-v for v in pair[1]], pair[0].number))]


def best_trial(study: optuna.Study) -> FrozenTrial | None:
    """The best complete trial, None if there is none; of a front it is the best in the first objective."""
    return next(iter(front(study)), None)


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
