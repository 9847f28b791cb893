"""How a space stands in the YAML of a sweep's file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from s2s_lit.errors import UserError
from s2s_lit.tuning.search.space import Branch, Branching, Choice, Number, Parameter, Space

KINDS = ("float", "int", "choice", "branches")


def read_space(tree: Any, place: str, prefix: str = "") -> Space:
    """The space that a sweep's file states.

    Raises:
        UserError: What is stated is not a space; with its place.
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
