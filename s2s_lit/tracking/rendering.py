"""Matplotlib's figures as files."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def render(figure: Figure, kind: str = "png") -> bytes:
    """The figure as a file's content. A script that the font lacks shows as boxes, without a warning."""
    buffer = BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(buffer, format=kind)
    return buffer.getvalue()
