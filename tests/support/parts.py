"""Finds the parts that exist, so that a law's tests cannot miss a new one."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TypeVar

T = TypeVar("T")


def concrete_subclasses(base: type[T], room: str) -> list[type[T]]:
    """Every concrete subclass of `base` in any module of the package `room`, by name."""
    found = {}
    for info in pkgutil.walk_packages(importlib.import_module(room).__path__, prefix=f"{room}."):
        for cls in vars(importlib.import_module(info.name)).values():
            if not inspect.isclass(cls) or cls.__name__.startswith("_"):
                continue
            if issubclass(cls, base) and not inspect.isabstract(cls):
                found[cls.__name__] = cls
    found.pop(base.__name__, None)
    return [found[name] for name in sorted(found)]
