"""How a training went, as one picture: losses, and the score that chooses the checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_BLUE, _RED, _INK, _FAINT = "#2b6ea8", "#c8553d", "#1b2a3a", "#6b7886"


def learning_curve(points: Sequence[Mapping[str, float]], monitor: str, *, higher_is_better: bool) -> Figure:
    """Draws the validations `points`, each with `step` and what is known of `train/loss`, `val/loss` and `monitor`.

    Built without pyplot, so that no global state grows.
    """
    figure = Figure(figsize=(9, 3.4), dpi=110, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    losses, scores = figure.subplots(1, 2)
    for key, colour in (("train/loss", _BLUE), ("val/loss", _RED)):
        _line(losses, points, key, colour)
    losses.set_title("loss per target token", fontsize=10, color=_INK)
    losses.legend(fontsize=8, frameon=False)
    found = _line(scores, points, monitor, _BLUE)
    scores.set_title(monitor, fontsize=10, color=_INK)
    if found:
        step, value = (max if higher_is_better else min)(found, key=lambda point: point[1])
        scores.plot([step], [value], "o", markersize=9, markerfacecolor="none", color=_RED)
        scores.annotate(
            f"{value:.4g}, kept", (step, value), (0, -14), textcoords="offset points", fontsize=8, ha="center"
        )
    for axes in (losses, scores):
        axes.set_xlabel("optimizer step", fontsize=8, color=_FAINT)
        axes.tick_params(labelsize=8, colors=_FAINT)
        axes.grid(color="#e4e8ed", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _line(axes, points: Sequence[Mapping[str, float]], key: str, colour: str) -> list[tuple[float, float]]:  # type: ignore[no-untyped-def]
    """Draws one; its points."""
    found = [(point["step"], point[key]) for point in points if key in point]
    axes.plot([x for x, _ in found], [y for _, y in found], "-o", markersize=3, linewidth=1.5, color=colour, label=key)
    return found
