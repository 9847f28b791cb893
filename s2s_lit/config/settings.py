"""The settings of a part: the keyword parameters of its constructor, and what docstrings say of them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import docstring_parser


@dataclass(frozen=True)
class Setting:
    """One of them. A default that is a class or a function is told by its name."""

    name: str
    type: str
    default: str
    meaning: str


def settings(cls: type) -> list[Setting]:
    """All settings of a part: first those that its own docstring explains, then those of its base classes."""
    meanings = _meanings(cls)
    parameters = [p for p in inspect.signature(cls).parameters.values() if p.kind is p.KEYWORD_ONLY]
    order = [*meanings, *(p.name for p in parameters)]
    return [
        Setting(p.name, str(p.annotation), _shown(p.default), meanings.get(p.name, ""))
        for p in sorted(parameters, key=lambda p: order.index(p.name))
    ]


def summary(cls: type) -> str:
    """The first paragraph of a part's docstring, in one line."""
    return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())


def description(cls: type) -> str:
    """A part's docstring without its settings."""
    return (inspect.getdoc(cls) or "").partition("\n\nArgs:")[0]


def _meanings(cls: type) -> dict[str, str]:
    """What `Args:` says of each parameter: in the class's own docstring, else in that of the nearest base class."""
    found: dict[str, str] = {}
    for base in cls.__mro__:
        for parameter in docstring_parser.parse(vars(base).get("__doc__") or "").params:
            found.setdefault(parameter.arg_name, " ".join((parameter.description or "").split()))
    return found


def _shown(default: object) -> str:
    if default is inspect.Parameter.empty:
        return "(required)"
    return str(getattr(default, "__name__", default))
