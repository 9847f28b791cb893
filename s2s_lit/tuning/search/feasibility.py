"""Whether a point can be trained, found out by making its parts with small vocabularies.

Parts know their own limits and say so in their constructors. A point that they refuse costs no process, and is told to
Optuna as infeasible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from jsonargparse import Namespace

from s2s_lit.errors import UserError
from s2s_lit.training.preflight import require_sound
from s2s_lit.tuning.search.space import Number, Space

Objection = Callable[[Mapping[str, Any]], str]
"""Why a point cannot be trained; empty if it can."""


def objection(config: Namespace) -> str:
    """Why a training of a configuration could only fail; empty if it can begin."""
    try:
        require_sound(config)
    except Exception as error:  # whatever a constructor raises here it would raise in the trial's process
        return str(error) or type(error).__name__
    return ""


def require_bounds(space: Space, reasons: Sequence[str], objection: Objection) -> None:
    """Nothing, if each bound of each number is within the limits of the parts that get it.

    A bound is beyond them if no point that has it can be trained: neither the space's own probes nor those of them that
    can be, with this bound instead of their value. Sizes that do not fit together are refused by one such point
    and not by another; they are left to the search.

    Args:
        space: The space.
        reasons: Why each of its probes cannot be trained; empty for those that can.
        objection: Says the same of any other point.

    Raises:
        UserError: A bound is beyond them, or no point of the space can be trained.
    """
    probes = space.probes()
    good = [probe for probe, reason in zip(probes, reasons, strict=True) if not reason]
    if not good:
        raise UserError(f"none of {len(probes)} points of the space can be trained. The first: {reasons[0]}")
    for name, bound in _bounds(space):
        if any(probe.get(name) == bound for probe in good):
            continue
        others = [{**probe, name: bound} for probe in good if name in probe]
        refused = [objection(other) for other in others] or [
            reason for probe, reason in zip(probes, reasons, strict=True) if probe.get(name) == bound
        ]
        if all(refused):
            raise UserError(f"space: {name} may not be {bound}: {refused[0]}")


def _bounds(space: Space) -> Iterator[tuple[str, float]]:
    for parameter in space.every():
        if isinstance(parameter, Number):
            yield from ((parameter.name, probe[parameter.name]) for probe in parameter.probes())
