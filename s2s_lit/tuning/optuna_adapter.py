"""All that Optuna 5 keeps private and a supervisor needs: a trial's id, and its state in the storage.

Optuna's public interface is made for a process that trains its own trials. Here a trial outlives the process that asked
for it: it is read, taken over, and given back to the queue by its id.
"""

from __future__ import annotations

from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

AnyTrial = optuna.Trial | FrozenTrial


def trial_id(trial: AnyTrial) -> int:
    """The number by which the storage knows a trial, in whatever study."""
    return trial._trial_id


def stored(study: optuna.Study, trial: AnyTrial) -> FrozenTrial:
    """A trial as it lies in the storage now."""
    return study._storage.get_trial(trial_id(trial))


def go_on_with(study: optuna.Study, trial: FrozenTrial) -> optuna.Trial:
    """A running trial, to be reported to and told."""
    return optuna.Trial(study, trial_id(trial))


def set_attribute(study: optuna.Study, trial: AnyTrial, key: str, value: Any) -> None:
    """Writes a user attribute of a trial that another process may have asked for."""
    study._storage.set_trial_user_attr(trial_id(trial), key, value)


def put_back(study: optuna.Study, trial: AnyTrial) -> None:
    """Makes a running trial WAITING: whoever asks the study next gets it, with the point that it has."""
    study._storage.set_trial_state_values(trial_id(trial), TrialState.WAITING)
