"""Sizes: settings that count units, layers, heads or filters."""

from __future__ import annotations


def positive(name: str, value: int) -> int:
    """The value of a setting that is a size.

    Raises:
        ValueError: it is less than one.
    """
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
    return value
