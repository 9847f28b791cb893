"""Pictures of a study by parameter: where the good trials lie, and which parameters matter.

Optuna's own overprint the labels of logarithmic axes and of long names, and draw a parameter of another branch as if it
had a value.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from s2s_lit.tuning.results.canvas import BLUE, INK, LINE, panels, titled
from s2s_lit.tuning.search.objectives import Objective
from s2s_lit.tuning.study.trials import complete_trials, short_name

SCALE = "viridis"
_FEWEST = 4  # complete trials of which anything can be said


def slices(study: optuna.Study, objective: Objective) -> Figure:
    """The objective over each parameter; later trials are darker."""
    complete, names = complete_trials(study), _names(study)
    columns = min(4, max(len(names), 1))
    figure, each = panels(-(-len(names) // columns), columns, width=2.7 * columns, height=2.5, sharey=True)
    last = max((trial.number for trial in complete), default=1)
    for index, axes in enumerate(each):
        if index >= len(names):
            axes.set_visible(False)
            continue
        own = [trial for trial in complete if names[index] in trial.params]
        axis = _Axis(names[index], study)
        axes.scatter(
            [axis.place(trial) for trial in own],
            [trial.values[0] for trial in own],
            c=[trial.number for trial in own],
            cmap="Blues",
            vmin=-last * 0.6,
            vmax=last,
            s=26,
            edgecolor=BLUE,
            linewidth=0.5,
        )
        axis.label(axes)
        if index % columns == 0:
            axes.set_ylabel(objective.name)
    return titled(figure, f"{study.study_name}: by parameter (darker: later)")


def parallel(study: optuna.Study, objective: Objective) -> Figure:
    """A line for each complete trial through its parameters, past those that its branches do not have."""
    complete, names = complete_trials(study), _names(study)
    figure, (axes,) = panels(1, 1, width=max(1.5 * (len(names) + 1), 6.0), height=4.8)
    axis = [_Axis(name, study) for name in names]
    values = [trial.values[0] for trial in complete]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    colours = _colours([(v - low) / span if objective.higher_is_better else (high - v) / span for v in values])
    for trial, colour in sorted(zip(complete, colours, strict=True), key=lambda pair: pair[0].values[0]):
        heights = [one.share(trial) for one in axis] + [(trial.values[0] - low) / span]
        there = [index for index, height in enumerate(heights) if height is not None]
        through = [heights[index] for index in there]
        axes.plot(there, through, color=colour, linewidth=1.4, alpha=0.8, marker="o", markersize=3)
    for index, one in enumerate(axis):
        axes.axvline(index, color=LINE, zorder=0)
        for share, text in one.marks():
            box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
            axes.text(index + 0.05, share, text, fontsize=7.5, color=INK, va="center", bbox=box, zorder=4)
    axes.axvline(len(names), color=LINE, zorder=0)
    for share, value in ((0.0, low), (1.0, high)):
        axes.text(len(names) + 0.04, share, f"{value:.4g}", fontsize=8, color=INK, va="center")
    axes.set_xticks(range(len(names) + 1), [*map(_wrapped, names), objective.name], fontsize=8)
    axes.set_xlim(-0.2, len(names) + 0.5)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return titled(figure, f"{study.study_name}: complete trials, the best in light colours")


def importances(study: optuna.Study) -> dict[str, float]:
    """How much each parameter matters for being among the best (PED-ANOVA); empty if that cannot be said.

    A parameter of a branch is judged by the trials of that branch.
    """
    if len(complete_trials(study)) < _FEWEST:
        return {}
    sign = -1 if study.directions[0] == StudyDirection.MAXIMIZE else 1  # the evaluator takes the lowest for the best
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="PedAnova")  # it tells what the sign is for
            return dict(optuna.importance.get_param_importances(study, target=lambda trial: sign * trial.values[0]))
    except (ValueError, RuntimeError):  # all values are equal, or there is one parameter without variation
        return {}


def importance(found: Mapping[str, float], objective: Objective) -> Figure:
    """Bars of the importances."""
    figure, (axes,) = panels(1, 1, width=7.0, height=max(0.42 * len(found) + 1.1, 1.8))
    names = list(found)[::-1]
    axes.barh(range(len(names)), [found[name] for name in names], color=BLUE, height=0.6)
    axes.set_yticks(range(len(names)), [short_name(name) for name in names])  # two may have one short name
    for row, name in enumerate(names):
        axes.text(found[name], row, f" {found[name]:.2f}", va="center", fontsize=8, color=INK)
    axes.set_xlim(0, max(max(found.values()) * 1.15, 0.1))
    axes.set_xlabel(f"importance for {objective.name}")
    return titled(figure, "What the best trials have in common (PED-ANOVA)")


class _Axis:
    """One parameter as an axis: numbers on their scale, other values side by side."""

    def __init__(self, name: str, study: optuna.Study) -> None:
        own = [trial for trial in study.get_trials(deepcopy=False) if name in trial.params]
        distribution = own[0].distributions[name]
        self._name = name
        self._choices = [str(choice) for choice in getattr(distribution, "choices", ())]
        self._log = bool(getattr(distribution, "log", False))
        self._low = float(getattr(distribution, "low", 0.0))
        self._high = float(getattr(distribution, "high", max(len(self._choices) - 1, 1)))

    def place(self, trial: FrozenTrial) -> float:
        """Where a trial lies on it."""
        value = trial.params[self._name]
        return float(self._choices.index(str(value))) if self._choices else float(value)

    def share(self, trial: FrozenTrial) -> float | None:
        """The same between 0 and 1; None if the trial has no such parameter."""
        if self._name not in trial.params:
            return None
        value, low, high = self.place(trial), self._low, self._high
        if self._log:
            value, low, high = np.log(value), np.log(low), np.log(high)
        return float((value - low) / ((high - low) or 1.0))

    def marks(self) -> list[tuple[float, str]]:
        """What stands beside it, and where between 0 and 1."""
        if self._choices:
            return [(index / self._high, choice) for index, choice in enumerate(self._choices)]
        return [(0.0, f"{self._low:.3g}"), (1.0, f"{self._high:.3g}")]

    def label(self, axes: Any) -> None:
        """Makes it the x axis of a panel."""
        axes.set_xlabel(_wrapped(self._name), fontsize=8)
        if self._choices:
            axes.set_xticks(range(len(self._choices)), self._choices, rotation=25, ha="right")
            axes.set_xlim(-0.5, len(self._choices) - 0.5)
        elif self._log:
            axes.set_xscale("log")
            axes.set_xticks([self._low, (self._low * self._high) ** 0.5, self._high])
            axes.xaxis.set_major_formatter("{x:.2g}")
            axes.xaxis.set_minor_locator(NullLocator())


def _wrapped(name: str) -> str:
    return short_name(name).replace(" ", "\n", 1)


def _names(study: optuna.Study) -> list[str]:
    """The parameters of the complete trials, those that all have first."""
    complete = complete_trials(study)
    names = dict.fromkeys(name for trial in complete for name in trial.params)
    return sorted(names, key=lambda name: -sum(name in trial.params for trial in complete))


def _colours(shares: Sequence[float]) -> list[Any]:
    return [colormaps[SCALE](0.1 + 0.85 * share) for share in shares]
