"""Small pictures as SVG, to stand in a page: no library, no script, sharp at any size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from numpy.typing import NDArray

COLOURS = ("#2b6ea8", "#c8553d", "#4f8a5b", "#8a5a9e", "#b8862d", "#5b6b7b", "#2f9c95", "#a33b62")
_CELL, _LETTER = 17, 6.6
_FAINT = 0.015  # of a weight that is not drawn


def attention_svg(weights: NDArray, source: Sequence[str], target: Sequence[str]) -> str:
    """A matrix of weights [T, S]: source tokens across, target tokens down, darkness is the weight.

    Raises:
        ValueError: the matrix does not fit the tokens.
    """
    if weights.shape != (len(target), len(source)):
        raise ValueError(f"weights {weights.shape} do not fit {len(target)} target and {len(source)} source tokens")
    left = 10 + _LETTER * max(map(len, target), default=0)
    top = 10 + _LETTER * 0.8 * max(map(len, source), default=0)
    width, height = left + _CELL * len(source) + top, top + _CELL * len(target) + 4
    parts = [f'<svg class="attention" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img">']
    for column, token in enumerate(source):
        x, y = left + _CELL * (column + 0.5), top - 5
        parts.append(f'<text x="{x:.1f}" y="{y:.1f}" transform="rotate(-50 {x:.1f} {y:.1f})">{escape(token)}</text>')
    for row, token in enumerate(target):
        y = top + _CELL * row
        parts.append(f'<text x="{left - 5:.1f}" y="{y + 12:.1f}" text-anchor="end">{escape(token)}</text>')
        for column, weight in enumerate(weights[row].tolist()):
            if weight > _FAINT:
                place = f'x="{left + _CELL * column:.1f}" y="{y:.1f}" width="{_CELL - 1}" height="{_CELL - 1}"'
                hint = f"<title>{escape(source[column])} → {escape(token)}: {weight:.2f}</title>"
                parts.append(f'<rect {place} fill="#0b2f57" fill-opacity="{min(weight, 1):.2f}">{hint}</rect>')
    frame = f'x="{left - 1:.1f}" y="{top - 1:.1f}" width="{_CELL * len(source) + 1}" height="{_CELL * len(target) + 1}"'
    return "".join([*parts, f'<rect {frame} fill="none" stroke="#dde3ea"/></svg>'])


def lines_svg(labels: Sequence[str], lines: Mapping[str, Sequence[float | None]], *, title: str, axis: str) -> str:
    """Lines over named places from left to right, the y axis from 0 to at least 100; a missing value is a gap."""
    width, height, left, bottom, top = 560, 250, 44, 44, 14
    highest = max([100.0, *(v for line in lines.values() for v in line if v is not None)])
    step = (width - left - 50) / max(len(labels) - 1, 1)
    xs = [left + 10 + step * i for i in range(len(labels))]
    room = height - top - bottom
    parts = [
        f'<svg class="lines" viewBox="0 0 {width} {height}" width="{width}" role="img"><title>{escape(title)}</title>'
    ]
    for tick in range(0, int(highest) + 1, 20):
        y = top + room * (1 - tick / highest)
        parts.append(f'<line x1="{left}" x2="{width - 6}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e8ed"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick}</text>')
    for x, label in zip(xs, labels, strict=True):
        parts.append(f'<text x="{x:.1f}" y="{height - bottom + 18}" text-anchor="middle">{escape(label)}</text>')
    parts.append(f'<text x="{(left + width) / 2:.0f}" y="{height - 6}" text-anchor="middle">{escape(axis)}</text>')
    for number, (name, values) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = [(x, top + room * (1 - v / highest)) for x, v in zip(xs, values, strict=True) if v is not None]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        hint = f"<title>{escape(name)}</title>"
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}">{hint}</circle>' for x, y in points]
    return "".join([*parts, "</svg>"])
