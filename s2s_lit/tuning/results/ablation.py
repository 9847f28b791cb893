"""What each factor of a sweep brought: its best point, and that point with one factor at a time as it was before.

A sweep's own trials cannot say it, as its sampler chose them. An ablation is a small study of its own,
`STUDY_ablation_TRIAL`, without pruning and over several seeds. It is searched like any other: in parallel, and going on
after a kill.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.table import Table

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.sweep_runs import SweepRuns
from s2s_lit.tuning.search.space import Parameter, Space
from s2s_lit.tuning.search.sweep_file import FOLDER, Sweep
from s2s_lit.tuning.study import attributes
from s2s_lit.tuning.study.storage import open_storage
from s2s_lit.tuning.study.trials import best_trial, short_name, short_point

SEEDS = (1, 2, 3)
"""Where the sweep itself has one alone, which would show no spread."""
_COLUMNS = ("factor", "best", "instead", "score", "brought", "spread", "seeds")


def ablation_of(sweep: Sweep, name: str, storage: str) -> tuple[Sweep, str]:
    """The sweep that trains the best point of study `name`, then that point with each factor of the first known point.

    Its study's name comes with it, which says of which trial it is: a better one found later has a study of its own.

    Raises:
        UserError: the study has no complete trial, or the sweep's file does not say what was before.
    """
    known = sweep.known_points()
    if not known or set(sweep.space.names(known[0])) != known[0].keys():
        raise UserError(
            f"--ablate compares with the first point of `enqueue` in {FOLDER / sweep.name}.yaml: "
            "state one there, with a value for each parameter"
        )
    try:
        best = best_trial(optuna.load_study(study_name=name, storage=open_storage(storage)))
    except KeyError:
        best = None
    if best is None:
        raise UserError(f"study {name} has no complete trial to ablate: make sweep SWEEP={sweep.name} comes first")
    first, *others = ablated(sweep.space, best.params, known[0])
    reasons = [sweep.objection(point) for point in others]
    for reason in filter(None, reasons):
        print(f"left out, as it cannot be trained: {reason}")
    points = [first, *(point for point, reason in zip(others, reasons, strict=True) if not reason)]
    seeds = sweep.seeds if len(sweep.seeds) > 1 else SEEDS
    ablation = replace(sweep, trials=len(points), hours=None, pruner=None, seeds=seeds, enqueue=tuple(points))
    return ablation, f"{name}_ablation_{best.number}"


def ablated(space: Space, best: Mapping[str, Any], before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The best point, then that with one factor as in `before`, for each factor in which they differ.

    A branching factor is taken with all that its branch has.
    """
    points = [dict(best)]
    for factor in space.parameters:
        own, other = _of(factor, best), _of(factor, before)
        if own != other:
            points.append({name: value for name, value in best.items() if name not in own} | other)
    return points


def _of(factor: Parameter, point: Mapping[str, Any]) -> dict[str, Any]:
    """What a point says of a factor."""
    return {name: point[name] for name in factor.names(point)}


@dataclass(frozen=True)
class Effect:
    """What a factor brought to the first objective.

    Attributes:
        factor: Its name.
        best: What the best point says of it.
        instead: What stood in its place.
        score: The mean over seeds without it.
        brought: For each seed, by how much the best point is better; below zero it is worse.
    """

    factor: str
    best: Mapping[str, Any]
    instead: Mapping[str, Any]
    score: float
    brought: tuple[float, ...]


def effects(sweep: Sweep, trials: list[FrozenTrial]) -> list[Effect]:
    """Of an ablation's complete trials, the first of which is the best point; the greatest first."""
    first, objective = trials[0], sweep.objectives[0]
    sign = 1 if objective.higher_is_better else -1
    found = []
    for trial in trials[1:]:
        changed = [p for p in sweep.space.parameters if _of(p, first.params) != _of(p, trial.params)]
        if trial.state != TrialState.COMPLETE or len(changed) != 1:
            continue
        pairs = zip(_by_seed(sweep, first), _by_seed(sweep, trial), strict=True)
        brought = tuple(sign * (ours - without) for ours, without in pairs)
        points = _of(changed[0], first.params), _of(changed[0], trial.params)
        found.append(Effect(changed[0].name, *points, trial.values[0], brought))
    return sorted(found, key=lambda effect: -statistics.fmean(effect.brought))


def _by_seed(sweep: Sweep, trial: FrozenTrial) -> list[float]:
    """The first objective, seed by seed."""
    return [trial.user_attrs[f"{attributes.SEED}{seed}"][sweep.objectives[0].name] for seed in sweep.seeds]


def summarize_ablation(sweep: Sweep, study: optuna.Study, runs: SweepRuns, parent: str) -> None:
    """Prints the table and keeps it in the ablation's run; without its first trial there is nothing to say."""
    trials = study.get_trials(deepcopy=False)
    if trials[0].state != TrialState.COMPLETE:
        print("\nthe best point itself is not complete, so there is nothing to compare with")
        return
    name, values = sweep.objectives[0].name, _by_seed(sweep, trials[0])
    table = Table(*_COLUMNS, title=f"{study.study_name}: what each factor brought ({name})")
    rows: list[list[str | float]] = []
    for effect in effects(sweep, trials):
        mean, spread = statistics.fmean(effect.brought), statistics.stdev(effect.brought)
        points = [short_point(point) for point in (effect.best, effect.instead)]
        numbers = [round(number, 4) for number in (effect.score, mean, spread)]
        factor = short_name(effect.factor)
        rows.append([factor, *points, *numbers, len(values)])
        table.add_row(factor, *points, f"{effect.score:.4g}", f"{mean:+.4g}", f"± {spread:.2g}", str(len(values)))
    console = Console(width=150, highlight=False, markup=False)
    console.print(table)
    console.print(
        f"the best point: {statistics.fmean(values):.4f} ± {statistics.stdev(values):.2g} over {len(values)} seeds"
    )
    console.print(
        "brought: by how much it is better with the factor than without, mean and spread over pairs of one seed"
    )
    runs.table(parent, _COLUMNS, rows, "ablation.json")
