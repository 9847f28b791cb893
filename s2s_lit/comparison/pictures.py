"""Small pictures as SVG to stand in a page: sharp at any size, text as text, the same file for the same values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

COLOURS = ("#2b6ea8", "#c8553d", "#4f8a5b", "#8a5a9e", "#b8862d", "#5b6b7b", "#2f9c95", "#a33b62")
_INK, _LINE = "#44525f", "#dde3ea"
_CELL, _LETTER = 0.18, 0.075  # inches: a cell, and what a letter of a label takes
_STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "s2s_lit"}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def attention_svg(weights: NDArray[np.float32], source: Sequence[str], target: Sequence[str]) -> str:
    """A matrix of weights [T, S]: source tokens from left to right, target tokens downwards, darkness is the weight.

    Raises:
        ValueError: The matrix does not fit the tokens.
    """
    if weights.shape != (len(target), len(source)):
        raise ValueError(f"weights {weights.shape} do not fit {len(target)} target and {len(source)} source tokens")
    left = 0.1 + _LETTER * max(map(len, target), default=0)
    above = 0.1 + _LETTER * 0.8 * max(map(len, source), default=0)
    width, height = _CELL * len(source), _CELL * len(target)
    figure = Figure(figsize=(left + width + above * 0.7, above + height + 0.05))
    whole = figure.get_size_inches()
    axes = figure.add_axes((left / whole[0], 0.04 / whole[1], width / whole[0], height / whole[1]))
    axes.imshow(weights, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto", interpolation="none")
    style: dict[str, Any] = {"fontsize": 8, "color": _INK, "parse_math": False}  # a `$` starts no formula
    for column, token in enumerate(source):  # plain texts are drawn twice as fast as ticks
        axes.text(column, -0.8, token, rotation=50, ha="left", va="baseline", rotation_mode="anchor", **style)
    for row, token in enumerate(target):
        axes.text(-0.8, row, token, ha="right", va="center", **style)
    axes.set(xticks=[], yticks=[])
    return _as_text(figure, axes)


def lines_svg(labels: Sequence[str], lines: Mapping[str, Sequence[float | None]], *, x: str, y: str) -> str:
    """Lines over named places from left to right, in the order of `COLOURS`; a missing value leaves a gap.

    Args:
        labels: The places.
        lines: For each line's name, its values.
        x: What the places are.
        y: What the values are.
    """
    figure = Figure(figsize=(4.3, 2.5))
    axes = figure.add_axes((0.13, 0.2, 0.85, 0.76))
    for number, values in enumerate(lines.values()):
        heights = [np.nan if value is None else value for value in values]
        axes.plot(
            range(len(labels)), heights, color=COLOURS[number % len(COLOURS)], marker="o", markersize=4, clip_on=False
        )
    axes.set_ylim(bottom=0)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_xlabel(x, color=_INK, fontsize=9)
    axes.set_ylabel(y, color=_INK, fontsize=9)
    axes.tick_params(colors=_INK, labelsize=9)
    axes.grid(axis="y", color=_LINE)
    return _as_text(figure, axes)


def _as_text(figure: Figure, axes: Axes) -> str:
    """The figure as an `<svg>` element. It is not pyplot's, so it is gone when nobody holds it."""
    axes.tick_params(length=0)
    axes.spines[:].set_color(_LINE)
    written = StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(written, format="svg", transparent=True, metadata=_NO_METADATA)
    text = written.getvalue()
    return text[text.index("<svg") :]
