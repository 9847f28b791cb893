"""The objective at each level of each factor, over the complete trials that have it.

That is no ablation. The sampler chose the trials, more of them where it hoped for more, with other values of all other
factors; and a pruned trial is in no mean, so a level where most were pruned is shown by its few best.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from optuna.trial import FrozenTrial, TrialState

from s2s_lit.tuning.search.space import Number, Parameter, Space
from s2s_lit.tuning.study.trials import infeasible

_BINS = 3
_FEW = 6


@dataclass(frozen=True)
class Level:
    """One level of one factor; numbers are cut into thirds of their range, integers of few values are not.

    Attributes:
        factor: The parameter's name.
        level: The value, or the range.
        values: Of the first objective, of the complete trials at that level.
        pruned: How many more trials were pruned there; they were worse than others at the same place.
        failed: How many failed.
    """

    factor: str
    level: str
    values: tuple[float, ...]
    pruned: int
    failed: int

    @property
    def mean(self) -> float | None:
        """Of the complete trials."""
        return statistics.fmean(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """Standard deviation over the complete trials: what all else brought."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def survivors(self) -> bool:
        """Whether more were pruned than not, so that the mean is one of survivors."""
        return self.pruned > len(self.values)

    def best(self, higher_is_better: bool) -> float | None:
        """The best complete trial's."""
        return (max if higher_is_better else min)(self.values, default=None)


def levels(space: Space, trials: Sequence[FrozenTrial]) -> list[Level]:
    """All levels of all factors that occur; a branch's factors over the trials of that branch."""
    found = []
    for parameter in space.every():
        own = [trial for trial in trials if _counts(trial) and parameter.name in trial.params]
        for level, members in _groups(parameter, own):
            complete = [trial.values[0] for trial in members if trial.state == TrialState.COMPLETE]
            states = [trial.state for trial in members]
            counts = states.count(TrialState.PRUNED), states.count(TrialState.FAIL)
            found.append(Level(parameter.name, level, tuple(complete), *counts))
    return found


def _counts(trial: FrozenTrial) -> bool:
    return trial.state.is_finished() and not infeasible(trial)


def _groups(parameter: Parameter, trials: Sequence[FrozenTrial]) -> Iterator[tuple[str, list[FrozenTrial]]]:
    """The trials of each level, in the order of the levels."""
    if isinstance(parameter, Number) and not _few(parameter):
        edges = _edges(parameter)
        for number, (low, high) in enumerate(pairwise(edges)):
            last = number == _BINS - 1
            inside = [
                t for t in trials if low <= t.params[parameter.name] and (t.params[parameter.name] < high or last)
            ]
            if inside:
                yield f"{low:.3g} to {high:.3g}", inside
        return
    values = dict.fromkeys(trial.params[parameter.name] for trial in trials)
    for value in sorted(values) if isinstance(parameter, Number) else values:
        yield str(value), [trial for trial in trials if trial.params[parameter.name] == value]


def _few(number: Number) -> bool:
    """Whether it is an integer of so few values that each is a level."""
    return number.integer and (number.high - number.low) // (number.step or 1) < _FEW


def _edges(number: Number) -> list[float]:
    """Thirds of the range, on the scale on which it is drawn."""
    shares = [index / _BINS for index in range(_BINS + 1)]
    if number.log:
        return [number.low * (number.high / number.low) ** share for share in shares]
    return [number.low + (number.high - number.low) * share for share in shares]
