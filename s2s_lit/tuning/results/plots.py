"""Pictures of a study, drawn without pyplot so that no global state grows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from optuna.trial import FrozenTrial, TrialState

from s2s_lit.tuning.search.objectives import Objective
from s2s_lit.tuning.study import attributes
from s2s_lit.tuning.study.trials import best_trial, short_name

INK, FAINT, LINE = "#1b2a3a", "#6b7886", "#dde3ea"
BLUE, GREY, RED, ORANGE = "#2b6ea8", "#b4bec8", "#c0392b", "#e08a1e"
SCALE = "viridis"


def pictures(study: optuna.Study, objectives: Sequence[Objective]) -> Iterator[tuple[str, Figure]]:
    """Names and pictures; those that such a study cannot have are left out."""
    yield "history.png", history(study, objectives)
    yield "slice.png", slices(study, objectives[0])
    yield "parallel.png", parallel(study, objectives[0])
    yield "timeline.png", timeline(study)
    if any(trial.intermediate_values for trial in study.get_trials(deepcopy=False)):
        yield "curves.png", curves(study, objectives[0])
    found = importances(study)
    if found:
        yield "importances.png", importance(found, objectives[0])
    if len(objectives) > 1:
        yield "pareto.png", pareto(study, objectives)


def history(study: optuna.Study, objectives: Sequence[Objective]) -> Figure:
    """Each trial's value in the order in which they were begun, and the best so far."""
    figure, panels = _panels(len(objectives), 1, width=7.5, height=2.9)
    for index, (axes, objective) in enumerate(zip(panels, objectives, strict=True)):
        complete = _complete(study)
        numbers, values = [t.number for t in complete], [t.values[index] for t in complete]
        best = (np.maximum if objective.higher_is_better else np.minimum).accumulate(values)
        if index == 0:
            pruned = [t for t in _trials(study, TrialState.PRUNED) if t.intermediate_values]
            last = [t.intermediate_values[max(t.intermediate_values)] for t in pruned]
            label = "pruned (last value)" if pruned else None
            axes.scatter([t.number for t in pruned], last, s=24, marker="x", color=GREY, label=label)
        axes.scatter(numbers, values, s=26, color=BLUE, label="complete", zorder=3)
        axes.step(numbers, best, where="post", color=ORANGE, linewidth=1.6, label="best so far")
        axes.set_ylabel(objective.name)
        axes.legend(frameon=False, fontsize=8)
    panels[-1].set_xlabel("trial")
    panels[-1].xaxis.get_major_locator().set_params(integer=True)
    return _titled(figure, f"{study.study_name}: what the trials reached")


def curves(study: optuna.Study, objective: Objective) -> Figure:
    """The objective along the trainings; crosses mark where trials were pruned."""
    figure, (axes,) = _panels(1, 1, width=7.5, height=4.4)
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
    return _titled(figure, f"{study.study_name}: on the way")


def slices(study: optuna.Study, objective: Objective) -> Figure:
    """The objective over each parameter; later trials are darker."""
    complete, names = _complete(study), _names(study)
    columns = min(4, max(len(names), 1))
    figure, panels = _panels(-(-len(names) // columns), columns, width=2.7 * columns, height=2.5, sharey=True)
    last = max((trial.number for trial in complete), default=1)
    for index, axes in enumerate(panels):
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
    return _titled(figure, f"{study.study_name}: by parameter (darker: later)")


def parallel(study: optuna.Study, objective: Objective) -> Figure:
    """A line for each complete trial through its parameters, past those that its branches do not have."""
    complete, names = _complete(study), _names(study)
    figure, (axes,) = _panels(1, 1, width=max(1.5 * (len(names) + 1), 6.0), height=4.8)
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
    return _titled(figure, f"{study.study_name}: complete trials, the best in light colours")


def importances(study: optuna.Study) -> dict[str, float]:
    """How much each parameter that all trials have matters for being among the best; empty if that cannot be said."""
    complete = _complete(study)
    shared = [name for name in _names(study) if all(name in trial.params for trial in complete)]
    if len(complete) < 4 or not shared:
        return {}
    try:
        high = study.directions[0] == optuna.study.StudyDirection.MAXIMIZE
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="PedAnova")  # it tells what the sign is for
            return dict(
                optuna.importance.get_param_importances(
                    study, params=shared, target=lambda trial: -trial.values[0] if high else trial.values[0]
                )
            )
    except (ValueError, RuntimeError):  # all values are equal, or there is one parameter without variation
        return {}


def importance(found: Mapping[str, float], objective: Objective) -> Figure:
    """Bars of the importances."""
    figure, (axes,) = _panels(1, 1, width=7.0, height=max(0.42 * len(found) + 1.1, 1.8))
    names = list(found)[::-1]
    axes.barh(range(len(names)), [found[name] for name in names], color=BLUE, height=0.6)
    axes.set_yticks(range(len(names)), [short_name(name) for name in names])  # two may have one short name
    for row, name in enumerate(names):
        axes.text(found[name], row, f" {found[name]:.2f}", va="center", fontsize=8, color=INK)
    axes.set_xlim(0, max(max(found.values()) * 1.15, 0.1))
    axes.set_xlabel(f"importance for {objective.name}")
    return _titled(figure, "What the best trials have in common (PED-ANOVA)")


def pareto(study: optuna.Study, objectives: Sequence[Objective]) -> Figure:
    """The first objective against each other one; those on the front cannot be bettered in one without the other."""
    figure, panels = _panels(1, len(objectives) - 1, width=5.4 * (len(objectives) - 1), height=4.4)
    front = {trial.number for trial in study.best_trials}
    for index, axes in enumerate(panels, start=1):
        complete = _complete(study)
        rest = [trial for trial in complete if trial.number not in front]
        best = sorted((t for t in complete if t.number in front), key=lambda trial: trial.values[index])
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
    return _titled(figure, f"{study.study_name}: trials on the front by their numbers")


def timeline(study: optuna.Study) -> Figure:
    """Which worker trained which trial when."""
    colours = {"finished": BLUE, "pruned": GREY, "died": RED, "failed": RED, "stopped": ORANGE}
    spans = [(t.number, s) for t in study.get_trials(deepcopy=False) for s in t.user_attrs.get(attributes.SPANS, [])]
    workers = sorted({(span["host"], span["slot"]) for _, span in spans})
    figure, (axes,) = _panels(1, 1, width=8.5, height=max(0.5 * len(workers) + 1.4, 2.0))
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
    return _titled(figure, f"{study.study_name}: who trained what")


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
    complete = _complete(study)
    names = dict.fromkeys(name for trial in complete for name in trial.params)
    return sorted(names, key=lambda name: -sum(name in trial.params for trial in complete))


def _complete(study: optuna.Study) -> list[FrozenTrial]:
    return _trials(study, TrialState.COMPLETE)


def _trials(study: optuna.Study, state: TrialState) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(state,))


def _colours(shares: Sequence[float]) -> list[Any]:
    from matplotlib import colormaps

    return [colormaps[SCALE](0.1 + 0.85 * share) for share in shares]


def _panels(rows: int, columns: int, *, width: float, height: float, sharey: bool = False) -> tuple[Figure, list[Any]]:
    """A figure with plain panels; `height` is one row's."""
    figure = Figure(figsize=(width, height * max(rows, 1)), dpi=130, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(max(rows, 1), columns, squeeze=False, sharey=sharey).flat)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[:].set_color(LINE)
        axes.tick_params(colors=FAINT, labelsize=8, length=3)
        axes.xaxis.label.set_color(INK)
        axes.yaxis.label.set_color(INK)
    return figure, panels


def _titled(figure: Figure, title: str) -> Figure:
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold", color=INK)
    return figure
