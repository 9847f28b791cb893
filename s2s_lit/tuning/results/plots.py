"""Pictures of a study: what its trials reached, on the way and at the end, and who trained them.

They show what Optuna's own pictures leave out: pruned trials and where they were pruned, the best one among many, the
machines that trained. Optuna's are also drawn by pyplot, in a style that stays set. The pictures of parameters are in
`parameter_plots`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import optuna
from matplotlib.figure import Figure
from optuna.trial import TrialState

from s2s_lit.tuning.results.canvas import BLUE, FAINT, GREY, ORANGE, RED, panels, titled
from s2s_lit.tuning.results.parameter_plots import importance, importances, parallel, slices
from s2s_lit.tuning.search.objectives import Objective
from s2s_lit.tuning.study import attributes
from s2s_lit.tuning.study.trials import best_trial, complete_trials, front


def pictures(study: optuna.Study, objectives: Sequence[Objective]) -> Iterator[tuple[str, Figure]]:
    """Names and pictures; those that such a study cannot have are left out."""
    yield "history.png", history(study, objectives)
    yield "slice.png", slices(study, objectives[0])
    yield "parallel.png", parallel(study, objectives[0])
    yield "timeline.png", timeline(study)
    if any(trial.intermediate_values for trial in study.get_trials(deepcopy=False)):
        yield "curves.png", curves(study, objectives[0])
    if found := importances(study):
        yield "importances.png", importance(found, objectives[0])
    if len(objectives) > 1:
        yield "pareto.png", pareto(study, objectives)


def history(study: optuna.Study, objectives: Sequence[Objective]) -> Figure:
    """Each trial's value in the order in which they were begun, and the best so far."""
    figure, each = panels(len(objectives), 1, width=7.5, height=2.9)
    for index, (axes, objective) in enumerate(zip(each, objectives, strict=True)):
        complete = complete_trials(study)
        numbers, values = [t.number for t in complete], [t.values[index] for t in complete]
        best = (np.maximum if objective.higher_is_better else np.minimum).accumulate(values)
        if index == 0:
            pruned = study.get_trials(deepcopy=False, states=(TrialState.PRUNED,))
            pruned = [t for t in pruned if t.intermediate_values]
            last = [t.intermediate_values[max(t.intermediate_values)] for t in pruned]
            label = "pruned (last value)" if pruned else None
            axes.scatter([t.number for t in pruned], last, s=24, marker="x", color=GREY, label=label)
        axes.scatter(numbers, values, s=26, color=BLUE, label="complete", zorder=3)
        axes.step(numbers, best, where="post", color=ORANGE, linewidth=1.6, label="best so far")
        axes.set_ylabel(objective.name)
        axes.legend(frameon=False, fontsize=8)
    each[-1].set_xlabel("trial")
    each[-1].xaxis.get_major_locator().set_params(integer=True)
    return titled(figure, f"{study.study_name}: what the trials reached")


def curves(study: optuna.Study, objective: Objective) -> Figure:
    """The objective along the trainings; crosses mark where trials were pruned."""
    figure, (axes,) = panels(1, 1, width=7.5, height=4.4)
    best = best_trial(study)
    styles = {TrialState.PRUNED: (GREY, 1.0), TrialState.COMPLETE: (BLUE, 1.2), TrialState.FAIL: (RED, 1.0)}
    named = set()
    for trial in study.get_trials(deepcopy=False):
        if not trial.intermediate_values:
            continue
        colour, width = styles.get(trial.state, (FAINT, 1.0))
        label = trial.state.name.lower()
        if best is not None and trial.number == best.number:
            colour, width, label = ORANGE, 2.4, f"best (trial {trial.number})"
        places, values = zip(*sorted(trial.intermediate_values.items()), strict=True)
        shares = [place / 10 for place in places]
        axes.plot(shares, values, color=colour, linewidth=width, alpha=0.9, label=None if label in named else label)
        if trial.state == TrialState.PRUNED:
            axes.scatter(shares[-1:], values[-1:], marker="x", s=22, color=FAINT, zorder=4)
        named.add(label)
    axes.set_xlabel("share of the training, %")
    axes.set_ylabel(objective.name)
    axes.legend(frameon=False, fontsize=8)
    return titled(figure, f"{study.study_name}: on the way")


def pareto(study: optuna.Study, objectives: Sequence[Objective]) -> Figure:
    """The first objective against each other one; those on the front cannot be bettered in one without the other."""
    figure, each = panels(1, len(objectives) - 1, width=5.4 * (len(objectives) - 1), height=4.4)
    best_numbers = {trial.number for trial in front(study)}
    for index, axes in enumerate(each, start=1):
        complete = complete_trials(study)
        rest = [trial for trial in complete if trial.number not in best_numbers]
        best = sorted((t for t in complete if t.number in best_numbers), key=lambda trial: trial.values[index])
        axes.scatter([t.values[index] for t in rest], [t.values[0] for t in rest], color=GREY, s=26, label="others")
        points = [t.values[index] for t in best], [t.values[0] for t in best]
        axes.plot(*points, color=ORANGE, linewidth=1.2, marker="o", markersize=6, label="Pareto front")
        for trial in best:
            where = (trial.values[index], trial.values[0])
            axes.annotate(
                f"{trial.number}", where, textcoords="offset points", xytext=(5, -11), fontsize=8, color=FAINT
            )
        axes.set_xlabel(f"{objectives[index].name} ({objectives[index].direction})")
        axes.set_ylabel(f"{objectives[0].name} ({objectives[0].direction})")
        axes.legend(frameon=False, fontsize=8)
    return titled(figure, f"{study.study_name}: trials on the front by their numbers")


def timeline(study: optuna.Study) -> Figure:
    """Which worker trained which trial when."""
    colours = {"finished": BLUE, "pruned": GREY, "died": RED, "failed": RED, "stopped": ORANGE}
    spans = [(t.number, s) for t in study.get_trials(deepcopy=False) for s in t.user_attrs.get(attributes.SPANS, [])]
    workers = sorted({(span["host"], span["slot"]) for _, span in spans})
    figure, (axes,) = panels(1, 1, width=8.5, height=max(0.5 * len(workers) + 1.4, 2.0))
    start = min((span["start"] for _, span in spans), default=0.0)
    for number, span in spans:
        row = workers.index((span["host"], span["slot"]))
        left, width = (span["start"] - start) / 60, (span["end"] - span["start"]) / 60
        axes.barh(row, width, left=left, height=0.7, color=colours[span["outcome"]], edgecolor="white", linewidth=0.8)
        axes.text(left + width / 2, row, str(number), ha="center", va="center", fontsize=7, color="white", clip_on=True)
    seen = dict.fromkeys(span["outcome"] for _, span in spans)
    for outcome in seen:
        axes.barh(0, 0, color=colours[outcome], label=outcome)
    axes.set_yticks(range(len(workers)), [f"{host} · {slot}" for host, slot in workers])
    axes.invert_yaxis()
    axes.set_xlabel("minutes")
    axes.legend(frameon=False, fontsize=8, ncols=len(seen) or 1, loc="lower right", bbox_to_anchor=(1.0, 1.0))
    return titled(figure, f"{study.study_name}: who trained what")
