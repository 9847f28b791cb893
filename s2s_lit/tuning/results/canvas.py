"""The style of a sweep's pictures, drawn without pyplot so that no global state grows."""

from __future__ import annotations

from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, FAINT, LINE = "#1b2a3a", "#6b7886", "#dde3ea"
BLUE, GREY, RED, ORANGE = "#2b6ea8", "#b4bec8", "#c0392b", "#e08a1e"


def panels(rows: int, columns: int, *, width: float, height: float, sharey: bool = False) -> tuple[Figure, list[Any]]:
    """A figure with plain panels; `height` is one row's."""
    figure = Figure(figsize=(width, height * max(rows, 1)), dpi=130, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    found = list(figure.subplots(max(rows, 1), columns, squeeze=False, sharey=sharey).flat)
    for axes in found:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[:].set_color(LINE)
        axes.tick_params(colors=FAINT, labelsize=8, length=3)
        axes.xaxis.label.set_color(INK)
        axes.yaxis.label.set_color(INK)
    return figure, found


def titled(figure: Figure, title: str) -> Figure:
    """The figure with a title."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold", color=INK)
    return figure
