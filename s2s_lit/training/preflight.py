"""What the configuration alone tells is refused before a run exists and before any data is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from jsonargparse import Namespace
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from s2s_lit.checks import at_least, within
from s2s_lit.config.build import Experiment, score_names
from s2s_lit.errors import UserError
from s2s_lit.optim.parameter_groups import decay_groups
from s2s_lit.tasks.base import Task
from s2s_lit.training.best_checkpoint import require_monitor
from s2s_lit.training.quiet_libraries import quiet_libraries
from s2s_lit.training.trainer import require_supported

_STEPS = 1000
"""Optimizer steps of the training that is tried."""
_MADE_LATER = ("strategy", "devices", "num_nodes", "callbacks", "plugins", "profiler")
"""Arguments of Lightning's Trainer that say where a training runs and who watches it."""


def require_sound(config: Namespace) -> None:
    """Refuses a configuration whose training could only fail.

    Raises:
        UserError: A number is out of range, no validation gives the monitored score, a folder is not there, the parts
            do not fit each other, or Lightning's Trainer refuses its settings; names the key.
    """
    within("seed", config.seed, 0, 2**32 - 1)
    at_least("restart_minutes", config.restart_minutes, 0)
    at_least("restart_steps", config.restart_steps, 0)
    require_monitor(config.monitor, [f"val/{name}" for name in score_names(config)])
    for key, value in config.items():
        if key.endswith(".data_dir") and value is not None and not Path(value).is_dir():
            raise UserError(f"{value} is no folder (DATA_DIR, {key.replace('.init_args', '')}): give one that is there")
    experiment = Experiment(config)
    _try_optimization(experiment.try_task())
    _try_trainer(experiment.trainer_arguments)


def _try_optimization(task: Task) -> None:
    """Makes what a training makes for its optimizer before the first step."""
    try:
        task.make_optimizer(decay_groups(task))
    except ValueError as error:
        raise UserError(f"task.optimizer: {error}") from error
    task.make_schedule(_STEPS)
    if task.make_averaging is not None:
        task.make_averaging(_STEPS)


def _try_trainer(arguments: dict[str, Any]) -> None:
    quiet_libraries()
    for name in ("max_epochs", "max_steps"):
        if arguments[name] == 0:
            raise UserError(f"trainer.{name} must be at least 1, not 0: nothing would be trained")
    given = {name: value for name, value in arguments.items() if name not in _MADE_LATER}
    try:
        trainer = pl.Trainer(**given, devices=1, logger=False, enable_progress_bar=False)
    except (MisconfigurationException, ValueError) as error:
        raise UserError(f"trainer: {error}") from error
    require_supported(trainer, given)
