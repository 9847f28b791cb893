"""Which trial a supervisor works on next."""

from __future__ import annotations

from collections.abc import Container

import optuna
from optuna.trial import FrozenTrial, TrialState

from s2s_lit.tuning.execution.ownership import Ownership
from s2s_lit.tuning.execution.worker import end_left_over
from s2s_lit.tuning.optuna_adapter import go_on_with, trial_id
from s2s_lit.tuning.study import attributes
from s2s_lit.tuning.study.trials import infeasible

_ASKING = "s2s:asking"


class Queue:
    """What is left to do of a study.

    Args:
        ownership: The supervisor's place in it.
        trials: How many trials it shall have.
    """

    def __init__(self, ownership: Ownership, trials: int) -> None:
        self._study, self._ownership, self._trials = ownership.study, ownership, trials

    def done(self) -> bool:
        """Whether the study has its trials and all are finished."""
        trials = self._counted()
        return len(trials) >= self._trials and all(trial.state.is_finished() for trial in trials)

    def next(self, held: Container[int]) -> tuple[optuna.Trial, bool] | None:
        """A trial, from now on this supervisor's, and whether its process died with another one.

        It is its own of before an outage, a dead supervisor's, one that waits, or a new one.

        Args:
            held: The ids of those that it works on.
        """
        for frozen in self._ownership.running():
            if trial_id(frozen) not in held:  # its process was ended, through no fault of its own
                return go_on_with(self._study, frozen), False
        for frozen in self._ownership.claim(self._ownership.abandoned()[:1]):
            process = frozen.user_attrs.get(attributes.PROCESS)
            end_left_over(process)
            return go_on_with(self._study, frozen), process is not None
        trial = self._ask()
        if trial is None:
            return None
        self._ownership.take(trial)
        return trial, False

    def _ask(self) -> optuna.Trial | None:
        """One that waits, or a new one if there are too few; the last are asked for by one supervisor at a time."""
        left = self._left()
        if left > len(self._ownership.others()):
            return self._study.ask()
        if left <= 0:
            return None
        with self._ownership.alone(_ASKING) as alone:
            return self._study.ask() if alone and self._left() > 0 else None

    def _left(self) -> int:
        """How many trials are still to be asked for."""
        trials = self._counted()
        waiting = sum(trial.state == TrialState.WAITING for trial in trials)
        return max(self._trials - len(trials), 0) + waiting

    def _counted(self) -> list[FrozenTrial]:
        """The trials but for those that could not be trained."""
        return [trial for trial in self._study.get_trials(deepcopy=False) if not infeasible(trial)]
