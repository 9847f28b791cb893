"""What an earlier run was, as a point of a space: a sweep can begin where it stood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from s2s_lit.config.yaml_files import parse
from s2s_lit.errors import UserError
from s2s_lit.tracking.client.runs import RunRecord
from s2s_lit.tuning.search.space import Branching, Space

_MISSING = object()
_CLASS = re.compile(r"[a-z_]\w*(\.[a-z_]\w*)*\.[A-Z]\w*")
"""The whole name of a class, `s2s_lit.nn.recurrent.GRU`."""


def point_of_run(space: Space, run: RunRecord) -> dict[str, Any]:
    """The parameters that the run's configuration has; of what it lacks a sweep draws the rest.

    Raises:
        UserError: it is outside of the space.
    """
    point = _point(space, run.params)
    if reason := space.refuse(point):
        raise UserError(f"run {run.run_id[:8]} is no point of this space: {reason}")
    return point


def _point(space: Space, params: Mapping[str, str]) -> dict[str, Any]:
    point: dict[str, Any] = {}
    for parameter in space.parameters:
        if isinstance(parameter, Branching):
            # The more a branch sets, the more it says; one that sets nothing agrees with every run.
            for name, branch in sorted(parameter.branches.items(), key=lambda item: -len(item[1].fixed)):
                if all(_same(_read(path, params), value) for path, value in branch.fixed.items()):
                    inner = _point(branch.space, params)
                    if branch.space.refuse(inner) or (not branch.fixed and not inner and branch.space.parameters):
                        continue
                    point |= {parameter.name: name, **inner}
                    break
            continue
        value = _read(parameter.paths[0], params)
        if value is not _MISSING:
            point[parameter.name] = value
    return point


def _read(path: str, params: Mapping[str, str]) -> Any:
    """A setting's value; of a part the name of its class."""
    if path not in params:
        return _MISSING
    if _CLASS.fullmatch(params[path]):
        return params[path].rpartition(".")[2]
    return None if params[path] == "None" else parse(params[path])


def _same(own: Any, stated: Any) -> bool:
    return bool(own == stated or (own is _MISSING and stated is None))
