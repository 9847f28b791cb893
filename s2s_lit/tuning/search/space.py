"""The space of a sweep: what may vary, within which bounds, and which settings exist only within a branch.

A point is `{parameter: value}`. A branching parameter chooses one of several named branches; each sets what it always
sets and has a space of its own, whose parameters (`branch/name`) exist in no other branch's points.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from s2s_lit.errors import UserError

Settings = list[tuple[str, Any]]
"""Configuration paths and their values, in the order in which they are to be set."""


class Suggester(Protocol):
    """What a space asks of an Optuna trial."""

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None, log: bool) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int: ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...


@dataclass(frozen=True)
class Parameter(ABC):
    """One thing that varies.

    Attributes:
        name: What the study calls it.
        paths: The configuration keys that get its value.
    """

    name: str
    paths: tuple[str, ...]

    @abstractmethod
    def suggest(self, trial: Suggester) -> dict[str, Any]:
        """Its part of a point, and that of the branch it chooses."""

    @abstractmethod
    def probes(self) -> list[dict[str, Any]]:
        """Parts of points that together use all that it may set."""

    @abstractmethod
    def refuse(self, value: Any) -> str:
        """Why a value is outside; empty if it is inside."""

    def settings(self, point: Mapping[str, Any]) -> Settings:
        """What a point sets through it."""
        return [(path, point[self.name]) for path in self.paths]

    def names(self, point: Mapping[str, Any]) -> list[str]:
        """The parameters that a point with these choices has."""
        return [self.name]

    def setters(self) -> dict[str, str]:
        """The paths that it may set, and what does: itself, one of its branches, or a parameter of one."""
        return dict.fromkeys(self.paths, self.name)


@dataclass(frozen=True)
class Number(Parameter):
    """A float or an integer between two bounds, both included."""

    low: float
    high: float
    log: bool
    step: float | None
    integer: bool

    def suggest(self, trial: Suggester) -> dict[str, Any]:
        if self.integer:
            step = int(self.step or 1)
            return {self.name: trial.suggest_int(self.name, int(self.low), int(self.high), step=step, log=self.log)}
        return {self.name: trial.suggest_float(self.name, self.low, self.high, step=self.step, log=self.log)}

    def probes(self) -> list[dict[str, Any]]:
        kind = int if self.integer else float
        return [{self.name: kind(self.low)}, {self.name: kind(self.high)}]

    def refuse(self, value: Any) -> str:
        right = int if self.integer else (int, float)
        if isinstance(value, bool) or not isinstance(value, right) or not self.low <= value <= self.high:
            return f"{value!r} is no {'integer' if self.integer else 'number'} between {self.low} and {self.high}"
        return ""


@dataclass(frozen=True)
class Choice(Parameter):
    """One of several values."""

    values: tuple[Any, ...]

    def suggest(self, trial: Suggester) -> dict[str, Any]:
        return {self.name: trial.suggest_categorical(self.name, self.values)}

    def probes(self) -> list[dict[str, Any]]:
        return [{self.name: value} for value in self.values]

    def refuse(self, value: Any) -> str:
        return "" if value in self.values else f"{value!r} is none of {', '.join(map(repr, self.values))}"


@dataclass(frozen=True)
class Branch:
    """What one branch always sets, and its own space."""

    fixed: Mapping[str, Any]
    space: Space


@dataclass(frozen=True)
class Branching(Parameter):
    """One of several named branches; it sets no path by itself."""

    branches: Mapping[str, Branch]

    def suggest(self, trial: Suggester) -> dict[str, Any]:
        chosen = trial.suggest_categorical(self.name, tuple(self.branches))
        return {self.name: chosen, **self.branches[chosen].space.suggest(trial)}

    def probes(self) -> list[dict[str, Any]]:
        return [{self.name: name, **probe} for name, branch in self.branches.items() for probe in branch.space.probes()]

    def refuse(self, value: Any) -> str:
        return "" if value in self.branches else f"{value!r} is none of the branches {', '.join(self.branches)}"

    def settings(self, point: Mapping[str, Any]) -> Settings:
        branch = self.branches[point[self.name]]
        return [*branch.fixed.items(), *branch.space.settings(point)]

    def names(self, point: Mapping[str, Any]) -> list[str]:
        branch = self.branches.get(point.get(self.name, ""))
        return [self.name, *([] if branch is None else branch.space.names(point))]

    def setters(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, branch in self.branches.items():
            found |= dict.fromkeys(branch.fixed, f"{self.name}.branches.{name}.set")
            for parameter in branch.space.parameters:
                found |= parameter.setters()
        return found


@dataclass(frozen=True)
class Space:
    """Several parameters at once."""

    parameters: tuple[Parameter, ...]

    def suggest(self, trial: Suggester) -> dict[str, Any]:
        """A point, drawn by the trial's sampler; what the trial already has is kept."""
        point: dict[str, Any] = {}
        for parameter in self.parameters:
            point |= parameter.suggest(trial)
        return point

    def settings(self, point: Mapping[str, Any]) -> Settings:
        """The configuration's changes at a point, in the order of the file: a part before its own settings."""
        return [setting for parameter in self.parameters for setting in parameter.settings(point)]

    def names(self, point: Mapping[str, Any]) -> list[str]:
        """The parameters that a point with these choices has."""
        return [name for parameter in self.parameters for name in parameter.names(point)]

    def probes(self) -> list[dict[str, Any]]:
        """Points that together use every bound, value and branch."""
        each = [parameter.probes() for parameter in self.parameters]
        count = max(map(len, each), default=1)  # side by side, as composing takes time
        return [_union([probes[min(index, len(probes) - 1)] for probes in each]) for index in range(count)]

    def refuse(self, point: Mapping[str, Any]) -> str:
        """Why a point, whole or in part, is none of this space; empty if it is one."""
        known = self.names(point)
        for name in point:
            if name not in known:
                return f"{name} is no parameter here; there are: {', '.join(known)}"
        reasons = ((p, p.refuse(point[p.name])) for p in self.every() if p.name in point)
        return next((f"{parameter.name}: {reason}" for parameter, reason in reasons if reason), "")

    def every(self) -> Iterator[Parameter]:
        """All parameters, those of the branches, too."""
        for parameter in self.parameters:
            yield parameter
            if isinstance(parameter, Branching):
                for branch in parameter.branches.values():
                    yield from branch.space.every()


def _union(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}


def words(settings: Sequence[tuple[str, Any]]) -> list[str]:
    """Settings as words of the command line."""
    return [f"--{path}={value if isinstance(value, str) else json.dumps(value)}" for path, value in settings]


# How a space stands in YAML

KINDS = ("float", "int", "choice", "branches")


def read_space(tree: Any, place: str, prefix: str = "") -> Space:
    """The space that a sweep's file states.

    Raises:
        UserError: what is stated is none, with its place.
    """
    if not isinstance(tree, dict) or not (tree or prefix):
        raise UserError(f"{place} must be a mapping of configuration paths or names to what they may be")
    space = Space(tuple(_read_parameter(prefix, str(key), own, f"{place}.{key}") for key, own in tree.items()))
    names = [parameter.name for parameter in space.every()]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"{place} has two parameters that are called {twice[0]}: give one of the branches another name")
    _require_one_setter(space, place)
    return space


def _require_one_setter(space: Space, place: str) -> None:
    """Of branches only one is active, and what a branch sets its own space may refine; all else is set together."""
    found: dict[str, str] = {}
    for parameter in space.parameters:
        setters = parameter.setters()
        for path in setters.keys() & found.keys():
            raise UserError(
                f"{place}: {found[path]} and {setters[path]} both set {path}, so one of them would do nothing: "
                "leave it to the other"
            )
        found |= setters


def _read_parameter(prefix: str, key: str, tree: Any, place: str) -> Parameter:
    name = prefix + key
    kinds = [kind for kind in KINDS if isinstance(tree, dict) and kind in tree]
    if len(kinds) != 1:
        raise UserError(f"{place} must have one of {', '.join(KINDS)}, such as {key}: {{float: [0.0, 0.5]}}")
    (kind,) = kinds
    allowed = {
        "float": {"paths", "log", "step"},
        "int": {"paths", "log", "step"},
        "choice": {"paths"},
        "branches": set(),
    }
    unknown = tree.keys() - allowed[kind] - {kind}
    if unknown:
        also = ", ".join(sorted(allowed[kind])) or "nothing else"
        raise UserError(f"{place} has {', '.join(map(repr, sorted(unknown)))}, but beside {kind} there can be: {also}")
    paths = tree.get("paths", [key])
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise UserError(f"{place}.paths must be a list of configuration paths")
    if kind == "branches":
        return Branching(name, (), _read_branches(tree[kind], f"{place}.branches", prefix))
    if kind == "choice":
        return Choice(name, tuple(paths), _read_values(tree[kind], f"{place}.choice"))
    return _read_number(name, tuple(paths), kind, tree, place)


def _read_values(values: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(values, list) or not values or not all(isinstance(v, str | int | float | None) for v in values):
        raise UserError(f"{place} must be a list of numbers, words, true, false or null; use branches for more")
    return tuple(values)


def _read_number(name: str, paths: tuple[str, ...], kind: str, tree: Mapping[str, Any], place: str) -> Number:
    bounds, log, step = tree[kind], tree.get("log", False), tree.get("step")
    right = int if kind == "int" else (int, float)
    numbers = [*bounds, *([] if step is None else [step])] if isinstance(bounds, list) and len(bounds) == 2 else []
    if not numbers or any(isinstance(n, bool) or not isinstance(n, right) for n in numbers):
        raise UserError(f"{place}.{kind} must be [lowest, highest], and step a number of that kind")
    low, high = bounds
    if not low < high or (log and low <= 0) or (log and step is not None) or (step is not None and step <= 0):
        raise UserError(
            f"{place}: needs lowest < highest, above zero if log, and a step above zero that does not go with log"
        )
    return Number(name, paths, low, high, bool(log), step, kind == "int")


def _read_branches(tree: Any, place: str, prefix: str) -> dict[str, Branch]:
    if not isinstance(tree, dict) or not tree:
        raise UserError(f"{place} must be a mapping of branches' names to what they set and vary")
    branches = {}
    for name, own in tree.items():
        own = {} if own is None else own
        if not isinstance(own, dict) or own.keys() - {"set", "space"} or not isinstance(own.get("set", {}), dict):
            raise UserError(f"{place}.{name} may have `set` (paths and values) and `space`, and nothing else")
        branches[str(name)] = Branch(
            own.get("set", {}), read_space(own.get("space", {}), f"{place}.{name}.space", f"{prefix}{name}/")
        )
    return branches
