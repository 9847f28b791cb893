"""A picture of where a decoder looked: source tokens across, target tokens down, weights as colour."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from s2s_lit.types import Prediction

_CELL_INCHES = 0.34
_INK, _FAINT, _LINE = "#1b2a3a", "#6b7886", "#dde3ea"
_COLOURS = LinearSegmentedColormap.from_list("attention", ["#ffffff", "#d5e4f1", "#7fb0d6", "#2b6ea8", "#0b2f57"])


def attention_figure(
    weights: ArrayLike,
    source_tokens: Sequence[str],
    target_tokens: Sequence[str],
    *,
    title: str = "",
) -> Figure:
    """Draws `weights` [T, S], whose row t says how much target token t took from each source token.

    Built without pyplot, so that no global state grows and any thread may call it. Save it with `Figure.savefig`.

    Raises:
        ValueError: when the matrix does not fit the tokens.
    """
    matrix = np.asarray(weights, dtype=np.float32)
    rows, columns = len(target_tokens), len(source_tokens)
    if matrix.shape != (rows, columns) or not matrix.size:
        raise ValueError(f"weights {matrix.shape} do not fit {rows} target and {columns} source tokens")
    figure = Figure(
        figsize=(max(columns * _CELL_INCHES, 2.6) + 2.4, max(rows * _CELL_INCHES, 1.8) + 2.2),
        dpi=130,
        layout="constrained",
        facecolor="white",
    )
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(matrix, cmap=_COLOURS, vmin=0.0, vmax=1.0, aspect="equal", interpolation="nearest")
    _label(axes, source_tokens, target_tokens)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=22, pad=0.02, ticks=[0, 0.5, 1])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8, colors=_FAINT)
    bar.set_label("attention weight", fontsize=8, color=_FAINT)
    lines = textwrap.wrap(title, max(int(figure.get_figwidth() * 11), 24))[:4]
    if lines:
        style = {"fontsize": 10.5, "fontweight": "bold", "color": _INK, "parse_math": False}
        figure.suptitle("\n".join(lines), x=0.02, ha="left", **style)
    return figure


def _label(axes, source_tokens: Sequence[str], target_tokens: Sequence[str]) -> None:  # type: ignore[no-untyped-def]
    """Tokens as they are (a `$` starts no formula), source on top, thin white lines between the cells."""
    style = {"fontsize": 9, "color": _INK, "parse_math": False}
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    slant = {"rotation": 55, "ha": "left", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(source_tokens)), list(source_tokens), **slant, **style)
    axes.set_yticks(range(len(target_tokens)), list(target_tokens), **style)
    axes.set_xlabel("source", fontsize=8, color=_FAINT)
    axes.set_ylabel("target", fontsize=8, color=_FAINT)
    axes.set_xticks(np.arange(len(source_tokens) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(target_tokens) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=_LINE, linewidth=0.6)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set(color=_LINE, linewidth=0.6)


def attention_picture(prediction: Prediction) -> Figure:
    """The attention of one prediction that has `weights`, under its hypothesis."""
    if prediction.weights is None:
        raise ValueError("this prediction has no attention weights")
    return attention_figure(
        prediction.weights.detach().float().cpu().numpy(),
        prediction.input_tokens,
        prediction.target_tokens,
        title=prediction.hypothesis,
    )
