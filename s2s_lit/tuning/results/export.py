"""A composed configuration as an experiment's file: what it states is what differs from the base."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from s2s_lit.config.compose import parse, to_yaml
from s2s_lit.config.yaml_files import parse as parse_yaml
from s2s_lit.config.yaml_files import to_text
from s2s_lit.errors import UserError

_GIVEN = ("experiment", "dataset", "config")
"""Keys that say which files were composed."""


def differences(config: Namespace, folder: Path = Path("experiments")) -> dict[str, Any]:
    """What an experiment's file must state to give this configuration on this data set."""
    files = [folder / "base.yaml", folder / "data" / f"{config.dataset}.yaml"]
    base = parse([f"--config={file}" for file in files], [], files)
    return _changed(_tree(config), _tree(base))


def write_experiment(config: Namespace, file: Path, comments: list[str]) -> None:
    """Writes the file, under comment lines, and makes sure that it gives the configuration again.

    Raises:
        UserError: it would not, so there is no file now.
    """
    tree = differences(config)
    lines = [f"# {comment}" for comment in comments]
    text = to_text(tree, width=110)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*lines, text]), encoding="utf-8")
    files = [Path("experiments") / "base.yaml", Path("experiments") / "data" / f"{config.dataset}.yaml", file]
    again = parse([f"--config={path}" for path in files], [], files)
    if _tree(again) != _tree(config):
        file.unlink()
        lost = sorted(_flat(_tree(config)).items() ^ _flat(_tree(again)).items(), key=str)
        raise UserError(f"{file} could not be written so that it gives the same configuration: {lost[:6]}")


def _tree(config: Namespace) -> dict[str, Any]:
    tree = parse_yaml(to_yaml(config))
    return {key: value for key, value in tree.items() if key not in _GIVEN}


def _changed(own: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a tree that another one has not, down to single settings."""
    found = {}
    for key, value in own.items():
        former = base.get(key)
        if key in base and value == former:
            continue
        if not isinstance(value, dict):
            found[key] = value
        elif "class_path" in value:
            found[key] = _changed_part(value, former)
        else:
            found[key] = _changed(value, former if isinstance(former, dict) else {})
    return found


def _changed_part(own: Mapping[str, Any], former: Any) -> dict[str, Any]:
    """A part; of another class than before it keeps the settings of the same names, and has defaults for others."""
    settings = dict(own.get("init_args", {}))
    before = dict(former.get("init_args", {})) if isinstance(former, dict) else {}
    same = isinstance(former, dict) and former.get("class_path") == own["class_path"]
    known = before if same else {**_defaults(own["class_path"]), **before}
    changed = _changed(settings, {key: value for key, value in known.items() if key in settings})
    named = {} if same else {"class_path": _short(own["class_path"])}
    return {**named, **({"init_args": changed} if changed else {})}


def _defaults(path: str) -> dict[str, Any]:
    """What a class sets if it is told nothing, as far as that is a plain value."""
    parameters = inspect.signature(_class(path)).parameters.values()
    return {p.name: p.default for p in parameters if isinstance(p.default, str | int | float | bool | None)}


def _short(path: str) -> str:
    """Our parts need no module."""
    return path.rpartition(".")[2] if path.startswith("s2s_lit.") else path


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _flat(tree: Any, path: str = "") -> dict[str, str]:
    if isinstance(tree, dict):
        return {key: value for name, own in tree.items() for key, value in _flat(own, f"{path}.{name}").items()}
    return {path.removeprefix("."): repr(tree)}
