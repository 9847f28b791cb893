"""Checks of settings. Each returns the value that it was given, or refuses it by its name; nan and inf always are."""

from __future__ import annotations

import math
from typing import TypeVar

from s2s_lit.errors import SettingError

Number = TypeVar("Number", int, float)


def at_least(name: str, value: Number, least: float) -> Number:
    """least <= value."""
    return _checked(name, value, value >= least, f"at least {least}")


def above(name: str, value: Number, bound: float) -> Number:
    """bound < value."""
    return _checked(name, value, value > bound, f"above {bound}")


def within(name: str, value: Number, low: float, high: float) -> Number:
    """low <= value <= high."""
    return _checked(name, value, low <= value <= high, f"from {low} to {high}")


def below_one(name: str, value: float) -> float:
    """0 <= value < 1: a probability of dropping, or a share that never is the whole."""
    return _checked(name, value, 0 <= value < 1, "at least 0 and below 1")


def share(name: str, value: float) -> float:
    """0 < value <= 1: a share that never is nothing."""
    return _checked(name, value, 0 < value <= 1, "above 0 and at most 1")


def _checked(name: str, value: Number, holds: bool, wanted: str) -> Number:
    if holds and abs(value) < math.inf:
        return value
    raise SettingError(f"{name} must be {wanted}, not {value}")
