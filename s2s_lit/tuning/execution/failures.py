"""When trials fail because of the sweep or the machine, not because of their points, no more of them are tried."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from s2s_lit.tuning.study.trials import infeasible

FIRST = 3
"""So many failures before any success end a sweep,"""
IN_A_ROW = 5
"""so many without a success in between,"""
REFUSED_IN_A_ROW = 50
"""or so many points in a row that cannot be trained at all."""


class Failures:
    """What a supervisor has seen fail.

    Attributes:
        hopeless: Why no further trial is tried; empty while there is hope.
    """

    def __init__(self) -> None:
        self.hopeless = ""
        self._in_a_row = 0
        self._refused = 0

    def refused(self, reason: str) -> None:
        """Takes note of a point that cannot be trained."""
        self._refused += 1
        if self._refused >= REFUSED_IN_A_ROW:
            self.hopeless = f"{self._refused} points in a row cannot be trained. The last: {reason}"

    def ended(self, state: TrialState, reason: str, trials: Sequence[FrozenTrial]) -> None:
        """Takes note of a trial that has ended; `trials` are all of the study."""
        failed, self._refused = state == TrialState.FAIL, 0
        self._in_a_row = self._in_a_row + 1 if failed else 0
        states = [trial.state for trial in trials if not infeasible(trial)]
        if not {TrialState.COMPLETE, TrialState.PRUNED} & set(states) and states.count(TrialState.FAIL) >= FIRST:
            self.hopeless = f"the first {FIRST} trials all failed, so no more are tried. The last: {reason}"
        elif self._in_a_row >= IN_A_ROW:
            self.hopeless = f"{IN_A_ROW} trials failed in a row, so no more are tried. The last: {reason}"
