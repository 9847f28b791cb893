"""Turns jsonargparse's nested reports into one sentence: the key, where it stands, what was expected, the nearest."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from s2s_lit.config.jsonargparse_adapter import keys_of
from s2s_lit.config.yaml_files import read_mapping
from s2s_lit.errors import did_you_mean

UNKNOWN = re.compile(r"Option '([\w.+-]+)' is not accepted|unrecognized arguments: --([\w.+-]+)")
KEY = re.compile(r'Parser key "([\w.]+)"')
CLASS = re.compile(r"class_path[= ]'([\w.]+)'")
NO_CLASS = re.compile(r"Expected a dot import path string: (\S+?)(?:\. Got value|\n|$)")
EXPECTED = re.compile(r"Expected a (?:<class '(?:\w+\.)*(\w+)'>|typing\.(\w+\[[^\]]*\]))")
GIVEN = re.compile(r"(?:Got value|Given value): (.+?)(?:\. Got value|\n|$)")


def explain(message: str, parser: ArgumentParser, files: Sequence[Path], overrides: Sequence[str]) -> str:
    """One sentence.

    Args:
        message: jsonargparse's report.
        parser: the parser that made it.
        files: the configuration files that were read, to tell which one has the key.
        overrides: the command line's changes.
    """
    if unknown := UNKNOWN.search(message):
        return _unknown_key(message, unknown, parser, files, overrides)
    path = ".".join(KEY.findall(message))
    place = _place(path, files, overrides)
    if named := NO_CLASS.search(message):
        return f"{path}: no part is called {named[1]}, {place}{_hint(named[1], _parts())}"
    expected = dict.fromkeys((a or b).replace("NoneType", "null") for a, b in EXPECTED.findall(message))
    given = GIVEN.search(message)
    if expected and given:
        return f"{path}: expected {' or '.join(expected)}, not {given[1]!r}, {place}"
    return f"{path}: {_innermost(message)}" if path else _innermost(message)


def _unknown_key(
    message: str, unknown: re.Match[str], parser: ArgumentParser, files: Sequence[Path], overrides: Sequence[str]
) -> str:
    chain = KEY.findall(message[: unknown.start()])
    option = (unknown[1] or unknown[2]).removeprefix("init_args.")
    owner = _owner(message, unknown)
    if owner is None:
        near = _hint_of_key(option, keys_of(parser))
    else:
        near = _hint(option, inspect.signature(owner).parameters, ".".join([*chain, ""]))
    path = ".".join([*chain, option])
    of = f" of {owner.__name__}" if owner is not None else ""
    return f"unknown key {path}{of}, {_place(path, files, overrides)}{near}"


def _owner(message: str, unknown: re.Match[str]) -> type | None:
    """The class whose argument the unknown key was meant to be; the report names it just before or after."""
    before = CLASS.findall(message[: unknown.start()])
    after = CLASS.search(message[unknown.end() :])
    name = before[-1] if before else after[1] if after else None
    if name is None:
        return None
    module, _, cls = name.rpartition(".")
    found: type = getattr(importlib.import_module(module), cls)
    return found


def _parts() -> list[str]:
    """The names of all our public classes that can be used as they are."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("s2s_lit.")]
    classes = {value for module in modules for value in vars(module).values() if inspect.isclass(value)}
    ours = {cls for cls in classes if cls.__module__.startswith("s2s_lit.") and not inspect.isabstract(cls)}
    return [cls.__name__ for cls in ours if cls.__name__[0] != "_"]


def _hint(word: str, known: Iterable[str], prefix: str = "") -> str:
    """`word` is nobody's name: the nearest one that is, or all if there are few."""
    known = sorted(set(known))
    all_of_few = f"; there are: {', '.join(known)}" if 0 < len(known) <= 20 else ""
    return did_you_mean(word, known, prefix=prefix) or all_of_few


def _hint_of_key(option: str, keys: Sequence[str]) -> str:
    """The nearest key; for a lone word (`epochs`) the one that ends with it, the most of it first (max_epochs)."""
    within = [key for key in keys if f"_{option}_" in f"_{key.rpartition('.')[2]}_"]
    best = sorted(within, key=lambda key: ("max" not in key, len(key)))
    return f"; did you mean {best[0]}?" if best else _hint(option, keys)


def _place(path: str, files: Sequence[Path], overrides: Sequence[str]) -> str:
    """Who states the key; the later wins, so it is looked at first."""
    given = [word.partition("=")[0].removeprefix("--").replace(".init_args", "") for word in overrides]
    if any(path == key.removesuffix(".class_path") or key.startswith(f"{path}.") for key in given):
        return "on the command line"
    for file in reversed(files):
        if file.is_file() and _has(read_mapping(file), path.split(".")):
            return f"in {file}"
    return "on the command line"


def _has(tree: Any, keys: Sequence[str]) -> bool:
    if not keys:
        return True
    if not isinstance(tree, dict):
        return False
    if keys[0] in tree:
        return _has(tree[keys[0]], keys[1:])
    return "init_args" in tree and _has(tree["init_args"], keys)


def _innermost(message: str) -> str:
    """The last line without the nest around it."""
    lines = [line.strip(" -") for line in message.splitlines() if line.strip()]
    return re.sub(r"\. Got value: .*", "", lines[-1])
