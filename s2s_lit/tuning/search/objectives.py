"""What a sweep seeks: scores on the validation split, and what a network costs.

The test split is never an objective: what was chosen by it could not be judged by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from s2s_lit.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from s2s_lit.tasks.base import Task

PARAMETERS = "parameters"
DECODE_MS = "decode_ms"
COSTS = {PARAMETERS: "trained parameters", DECODE_MS: "milliseconds a validation sentence, by the final search"}
"""Objectives that are no scores."""

WHOLE = 1000
"""Intermediate values are reported at the share of the training that has passed, in thousandths."""


class Pruned(Exception):  # noqa: N818 - it is no error
    """The training was ended because others were better at its place."""


@dataclass(frozen=True)
class Objective:
    """One number that shall be high or low.

    Attributes:
        name: `val/SCORE`, or one of `COSTS`.
        higher_is_better: Its direction.
    """

    name: str
    higher_is_better: bool

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """Optuna's word."""
        return "maximize" if self.higher_is_better else "minimize"

    def better(self, value: float, than: float) -> bool:
        """Whether a value is strictly better than another."""
        return value > than if self.higher_is_better else value < than


def read_objectives(tree: Mapping[str, Any], file: str) -> tuple[Objective, ...]:
    """The objectives that a sweep's file states.

    Raises:
        UserError: It states none, or one that cannot be an objective.
    """
    if not tree:
        raise UserError(f"{file}: objectives must have one at least, such as val/loss: minimize")
    for name, direction in tree.items():
        if not (str(name).startswith("val/") or name in COSTS):
            costs = ", ".join(f"{cost} ({what})" for cost, what in COSTS.items())
            raise UserError(f"{file}: {name} cannot be an objective; there are the scores val/..., {costs}")
        if direction not in ("maximize", "minimize"):
            raise UserError(f"{file}: objectives.{name} must be maximize or minimize, not {direction!r}")
    found = tuple(Objective(str(name), direction == "maximize") for name, direction in tree.items())
    if found[0].name in COSTS:
        raise UserError(f"{file}: the first objective must be a score (val/...): by it intermediate values are judged")
    return found


def headline(task: type[Task]) -> Objective:
    """The score that matters most to a task."""
    scores = [*task.likelihood_class.scores, *(score for metric in task.usual_metrics() for score in metric.scores)]
    (found,) = [score for score in scores if score.name == task.headline]
    return Objective(f"val/{found.name}", found.higher_is_better)


def require_scores(objectives: Sequence[Objective], scores: Sequence[str], file: str) -> None:
    """Nothing, if a validation gives the objectives.

    Raises:
        UserError: An objective is neither a cost nor a score of a validation; with the nearest name.
    """
    there = [f"val/{score}" for score in scores]
    for objective in objectives:
        if objective.name not in COSTS and objective.name not in there:
            hint = did_you_mean(objective.name, there) or "."
            raise UserError(
                f"{file}: objective {objective.name} is no score of a validation{hint} There are: {', '.join(there)}"
            )
