"""A picture of an embedding: the most frequent tokens in the plane in which they vary most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

_INK, _FAINT, _POINT = "#1b2a3a", "#6b7886", "#2b6ea8"
_PLACES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))  # of a label about its point
_GAP = 5.0  # pixels from a point to its label


def principal_plane(vectors: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """PCA: coordinates [N, 2] in the plane of greatest variance, and each axis's share [2] of the variance.

    Where two vectors, or vectors of one number, span no plane, the second coordinate is 0.
    """
    centred = np.pad(vectors - vectors.mean(axis=0), ((0, 1), (0, 1)))  # a zero more changes no distance
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    return u[:-1, :2] * s[:2], s[:2] ** 2 / max(float((s**2).sum()), 1e-12)


def embedding_figure(vectors: ArrayLike, tokens: Sequence[str], *, title: str = "") -> Figure:
    """Draws `vectors` [N, E] of N `tokens`, the most important first: one that would hide another's label has none.

    Built without pyplot, so that no global state grows and any thread may call it.

    Raises:
        ValueError: there is no token, or there are not as many as vectors.
    """
    table = np.asarray(vectors, dtype=np.float64)
    if len(table) != len(tokens) or not len(tokens):
        raise ValueError(f"vectors {table.shape} do not fit {len(tokens)} tokens")
    points, shares = principal_plane(table)
    figure = Figure(figsize=(12, 9), dpi=120, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.05, 0.06, 0.93, 0.87))
    axes.scatter(points[:, 0], points[:, 1], s=8, color=_POINT, linewidths=0)
    axes.margins(0.05)
    axes.set_xlabel(f"first principal component, {shares[0]:.0%} of the variance", fontsize=9, color=_FAINT)
    axes.set_ylabel(f"second, {shares[1]:.0%}", fontsize=9, color=_FAINT)
    axes.tick_params(length=0, labelsize=7, colors=_FAINT)
    axes.spines[:].set(color="#dde3ea", linewidth=0.6)
    figure.suptitle(title, x=0.05, ha="left", fontsize=11, fontweight="bold", color=_INK, parse_math=False)
    _label(figure, axes, points, tokens)
    return figure


def _label(figure, axes, points: NDArray[np.floating], tokens: Sequence[str]) -> None:  # type: ignore[no-untyped-def]
    """Writes each token beside its point where no label is yet."""
    axes.autoscale_view()  # or it would be done later, and move the points
    renderer = figure.canvas.get_renderer()
    frame = axes.get_window_extent(renderer)
    per_pixel = 72 / figure.dpi
    taken: list[tuple[float, float, float, float]] = []
    for point, (x, y), token in zip(points, axes.transData.transform(points), tokens, strict=True):
        text = axes.text(0, 0, token, fontsize=9, color=_INK, parse_math=False)
        extent = text.get_window_extent(renderer)
        text.remove()
        for right, up in _PLACES:
            left = x + right * _GAP - (0.5 - right / 2) * extent.width
            low = y + up * _GAP - (0.5 - up / 2) * extent.height
            box = (left, low, left + extent.width, low + extent.height)
            inside = box[0] >= frame.x0 and box[2] <= frame.x1 and box[1] >= frame.y0 and box[3] <= frame.y1
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                axes.annotate(
                    token, point, ((left - x) * per_pixel, (low - y) * per_pixel),
                    textcoords="offset points", fontsize=9, color=_INK, parse_math=False,
                    ha="left", va="bottom",
                )  # fmt: skip
                break


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
