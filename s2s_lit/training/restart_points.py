"""Restart points: all that a training needs to go on as if it had never stopped."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any, NoReturn

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from s2s_lit.checkpoint_files import NotSavedError, remove_checkpoint
from s2s_lit.lightning_adapter import place_between_batches, set_logging_step
from s2s_lit.processes import largest, of_all, rank
from s2s_lit.training.console import say
from s2s_lit.training.random_states import random_states, restore_random_states
from s2s_lit.training.restart_files import RESTART, STATE
from s2s_lit.training.stop_signals import SIGNALS, StopSignals, stopped_by

log = logging.getLogger(__name__)


class RestartPoints(Callback):
    """Saves where the training stands: at its start, at intervals, after each validation that was the best so far, and
    when Ctrl-C or SIGTERM asks it to stop.

    It does so between two optimizer steps, when all that belongs to the earlier one, a validation too, is done and
    logged. Whoever is killed goes on from the newest restart point with the same batches, masks and numbers; a file
    stands whole or not at all. The best checkpoint is never of steps that a kill undoes.

    Args:
        folder: The run's folder.
        run_id: The run that goes on.
        best: Keeps the best checkpoint.
        minutes: The longest time of training between two.
        steps: The most optimizer steps between two; 0 is no such bound.
    """

    def __init__(self, folder: Path, *, run_id: str, best: ModelCheckpoint, minutes: float, steps: int) -> None:
        self.path = folder / RESTART
        self.command = f"make resume RUN={run_id[:8]}"
        """What a user types to go on."""
        self._best = best
        self._minutes = minutes
        self._steps = steps
        self.chosen: dict[str, int] = {}
        """What the batcher chose for the machine."""
        self._saved = (-1, 0.0)  # optimizer steps, time
        self._score: torch.Tensor | None = None  # the best one when it was saved
        self._signals = StopSignals()
        self._random_states: list[dict[str, Any]] | None = None
        self._saving: dict[str, Any] | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._signals.listen()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._signals.stop_listening()
        if asked := largest(self._signals.asked):  # in the last step or the validation after it
            self._stop("stopped after the last step", asked)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._signals.stop_listening()

    def _stop(self, where: str, asked: int) -> NoReturn:
        say(f"{where}. To go on: {self.command}")
        raise stopped_by(asked)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx % trainer.accumulate_grad_batches:
            return
        step = trainer.global_step
        if self._random_states is not None:  # the first step of a resumed training, which stands in the file already
            restore_random_states(self._random_states[rank()], pl_module.device)
            set_logging_step(trainer, step)
            self._random_states, self._saved, self._score = None, (step, time.monotonic()), self._best.best_model_score
            return
        first, late = self._saved[0] < 0, time.monotonic() - self._saved[1] >= 60 * self._minutes
        asked = largest(self._signals.asked or int(late))  # in one way for all processes; 1 is no signal that asks
        better = self._best.best_model_score is not self._score
        if asked or first or better or 0 < self._steps <= step - self._saved[0]:
            self._save(trainer, pl_module.device)
            self._saved, self._score = (step, time.monotonic()), self._best.best_model_score
        if asked in SIGNALS:
            self._stop(f"stopped before step {step + 1}", asked)

    def _save(self, trainer: pl.Trainer, device: torch.device) -> None:
        """Saves a point; a full disk costs the new one, not the training."""
        self._saving = {"chosen": self.chosen, "random_states": of_all(random_states(device))}
        try:
            trainer.save_checkpoint(self.path)
        except NotSavedError as error:
            log.warning("No restart point at step %d, the one before stays: %s", trainer.global_step, error)
            trainer.strategy.barrier()  # where the others wait
        finally:
            self._saving = None

    def remove(self) -> None:
        """For a training that has ended."""
        remove_checkpoint(self.path)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if self._saving is not None:
            checkpoint[STATE] = self._saving
            place_between_batches(checkpoint)

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self._random_states = checkpoint[STATE]["random_states"]
