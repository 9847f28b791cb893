"""The space of a sweep: what may vary, within which bounds, and which settings exist only within a branch.

A point is `{parameter: value}`. A branching parameter chooses one of several named branches; each sets what it always
sets and has a space of its own, whose parameters (`branch/name`) exist in no other branch's points.

A space may be mended while a study goes on: numbers get other bounds, values and branches are left out. Optuna draws a
choice from the values that the study began with, so a value that was left out is still drawn, and then refused.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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

    @abstractmethod
    def described(self) -> dict[str, Any]:
        """What its values mean, as JSON: all but bounds, which may change while a study goes on."""

    def continuing(self, begun: Mapping[str, Any]) -> Parameter:
        """This parameter in a study that was begun with one that `begun` describes.

        Raises:
            UserError: Its values would mean something else, or there are new ones.
        """
        if self.described() != begun:
            raise UserError(f"{self.name} is another parameter than it was")
        return self


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
            return f"{value!r} is not {'an integer' if self.integer else 'a number'} between {self.low} and {self.high}"
        return ""

    def described(self) -> dict[str, Any]:
        return {"int" if self.integer else "float": list(self.paths), "log": self.log}


@dataclass(frozen=True)
class Choice(Parameter):
    """One of several values; `drawn` are those that the study began with, if there were more."""

    values: tuple[Any, ...]
    drawn: tuple[Any, ...] = ()

    def suggest(self, trial: Suggester) -> dict[str, Any]:
        return {self.name: trial.suggest_categorical(self.name, self.drawn or self.values)}

    def probes(self) -> list[dict[str, Any]]:
        return [{self.name: value} for value in self.values]

    def refuse(self, value: Any) -> str:
        return "" if value in self.values else f"{value!r} is not among {', '.join(map(repr, self.values))}"

    def described(self) -> dict[str, Any]:
        return {"choice": list(self.values), "paths": list(self.paths)}

    def continuing(self, begun: Mapping[str, Any]) -> Choice:
        before = tuple(begun.get("choice", ()))
        if new := [value for value in self.values if value not in before]:
            raise UserError(f"{self.name} has the new value {new[0]!r}")
        super(Choice, replace(self, values=before)).continuing(begun)
        return replace(self, drawn=before)


@dataclass(frozen=True)
class Branch:
    """What one branch always sets, and its own space."""

    fixed: Mapping[str, Any]
    space: Space


@dataclass(frozen=True)
class Branching(Parameter):
    """One of several named branches; it sets no path by itself. `drawn` are those that the study began with, if there
    were more."""

    branches: Mapping[str, Branch]
    drawn: tuple[str, ...] = ()

    def suggest(self, trial: Suggester) -> dict[str, Any]:
        chosen = trial.suggest_categorical(self.name, self.drawn or tuple(self.branches))
        branch = self.branches.get(chosen)
        return {self.name: chosen, **({} if branch is None else branch.space.suggest(trial))}

    def probes(self) -> list[dict[str, Any]]:
        return [{self.name: name, **probe} for name, branch in self.branches.items() for probe in branch.space.probes()]

    def refuse(self, value: Any) -> str:
        return "" if value in self.branches else f"{value!r} is not among the branches {', '.join(self.branches)}"

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

    def described(self) -> dict[str, Any]:
        branches = {n: {"set": dict(b.fixed), "space": b.space.described()} for n, b in self.branches.items()}
        return {"branches": branches}

    def continuing(self, begun: Mapping[str, Any]) -> Branching:
        before, own = begun.get("branches", {}), {}
        for name, branch in self.branches.items():
            if name not in before:
                raise UserError(f"{self.name} has the new branch {name}")
            if dict(branch.fixed) != before[name]["set"]:
                raise UserError(f"{self.name}.branches.{name} sets something else")
            own[name] = replace(branch, space=branch.space.continuing(before[name]["space"]))
        return replace(self, branches=own, drawn=tuple(before))


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
        """Why a point, whole or in part, is outside of this space; empty if it is inside."""
        known = self.names(point)
        for name in point:
            if name not in known:
                return f"{name} is no parameter here; there are: {', '.join(known)}"
        reasons = ((p, p.refuse(point[p.name])) for p in self.every() if p.name in point)
        return next((f"{parameter.name}: {reason}" for parameter, reason in reasons if reason), "")

    def setters(self) -> dict[str, str]:
        """The paths that its points may set, and what does."""
        return {path: setter for parameter in self.parameters for path, setter in parameter.setters().items()}

    def described(self) -> dict[str, Any]:
        """What its points mean, as JSON: all but bounds."""
        return {parameter.name: parameter.described() for parameter in self.parameters}

    def continuing(self, begun: Mapping[str, Any]) -> Space:
        """This space in a study that was begun with one that `begun` describes.

        Raises:
            UserError: Earlier trials would be no points of this space, or there are values that cannot be drawn.
        """
        names = {parameter.name for parameter in self.parameters}
        if changed := sorted(names ^ begun.keys()):
            raise UserError(f"{changed[0]} is {'new' if changed[0] in names else 'missing'}")
        return Space(tuple(parameter.continuing(begun[parameter.name]) for parameter in self.parameters))

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
