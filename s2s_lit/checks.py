"""Checks of settings and names. Each returns the value that it was given, or refuses it by its name.

Numbers that are not finite are always refused.
"""

from __future__ import annotations

import math
import unicodedata
from typing import TypeVar

from s2s_lit.errors import SettingError

_LONGEST_NAME = 200  # bytes; a file's name has 255 at most

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


def single_name(name: str, value: str) -> str:
    """The name of one thing, which may be a file's or a folder's: no path, nothing that a filter or a line ends at."""
    if not value.strip():
        raise SettingError(f"{name} is empty: give a name")
    if any(unicodedata.category(character)[0] == "C" or character in "'\"`" for character in value):
        raise SettingError(f"{name}={value!r}: a name has no quotes and no control characters")
    if value in (".", "..") or any(separator in value for separator in "/\\"):
        raise SettingError(f"{name}={value}: a name, not a path, is asked for: leave out folders and `..`")
    if (length := len(value.encode())) > _LONGEST_NAME:
        raise SettingError(f"{name}={value[:20]}...: a name has at most {_LONGEST_NAME} bytes, not {length}")
    return value


def _checked(name: str, value: Number, holds: bool, wanted: str) -> Number:
    if holds and abs(value) < math.inf:
        return value
    raise SettingError(f"{name} must be {wanted}, not {value}")
