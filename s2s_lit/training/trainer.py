"""Lightning's Trainer, as our trainings and evaluations use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from s2s_lit.config.build import Experiment
from s2s_lit.errors import UserError
from s2s_lit.lightning_adapter import leave_signals_alone
from s2s_lit.processes import world_size
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.training.checkpoint_io import CheckedFiles
from s2s_lit.training.launch import for_processes
from s2s_lit.training.progress import Progress
from s2s_lit.training.quiet_libraries import quiet_libraries

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
LEAST = {"gradient_clip_val": 0, "accumulate_grad_batches": 1, "check_val_every_n_epoch": 1}
"""Of settings that Lightning takes as they are: less makes the loss rise, or a training end in a division by zero."""


class ValidateAtEnd(Callback):
    """Lightning does not validate when `max_steps` ends an epoch early, or a last epoch that is not due (by
    `check_val_every_n_epoch`); the last weights are to be scored, too."""

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any, **kwargs: Any) -> None:
        if trainer.global_step == trainer.max_steps:
            trainer.should_stop = True
            trainer.check_val_every_n_epoch = 1
        elif trainer.current_epoch + 1 == trainer.max_epochs and trainer.check_val_every_n_epoch is not None:
            trainer.check_val_every_n_epoch = 1


def make_trainer(
    experiment: Experiment, tracker: MlflowTracker, callbacks: list[Callback], *, unused: bool = False
) -> pl.Trainer:
    """Lightning's Trainer with our logger and callbacks besides the configured ones; `unused` as in `for_processes`."""
    quiet_libraries()
    given = for_processes(experiment.trainer_arguments, unused=unused)
    if given["accelerator"] == "auto" and torch.backends.mps.is_available():
        given["accelerator"] = "cpu"  # Apple's GPUs have no float64, in which the scores are summed
    arguments = {
        **given,
        "callbacks": [*_listed(given.get("callbacks")), Progress(), *callbacks],
        "plugins": [*_listed(given.get("plugins")), CheckedFiles()],
        "logger": tracker,
        "use_distributed_sampler": False,
        "default_root_dir": str(tracker.run_dir),
        "enable_progress_bar": False,  # Lightning's, a bar for each epoch
    }
    try:
        trainer = pl.Trainer(**arguments)
    except (MisconfigurationException, ValueError) as error:
        raise UserError(f"trainer: {error}") from error
    leave_signals_alone(trainer)
    if trainer.world_size != world_size():
        raise UserError(f"trainer.devices={given['devices']}: only s2s train starts several processes")
    require_supported(trainer, given)
    return trainer


def require_supported(trainer: pl.Trainer, given: Mapping[str, Any]) -> None:
    """Refuses settings that Lightning takes and then fails with.

    Raises:
        UserError: A number is too small, or the precision is none of ours.
    """
    for name, least in LEAST.items():
        if (value := given[name]) is not None and value < least:
            raise UserError(f"trainer.{name} must be at least {least}, not {value}")
    if trainer.precision not in PRECISIONS:  # of the others Lightning's own handling of a batch fails
        raise UserError(f"trainer.precision={trainer.precision} is not supported: take one of {', '.join(PRECISIONS)}")


def _listed(given: Any) -> list[Any]:
    """What was given as one, several or none."""
    if given is None:
        return []
    return given if isinstance(given, list) else [given]
