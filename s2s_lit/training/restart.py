"""Restart points: all that a training needs to go on as if it had never stopped."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from s2s_lit.config.build import BROKEN
from s2s_lit.data.sources.rows import reason_of
from s2s_lit.errors import Terminated, UserError
from s2s_lit.processes import largest, of_all, rank, world_size
from s2s_lit.training.stopped import RESTART

log = logging.getLogger(__name__)

_STATE = "restart"
_STOP = 2  # what a process says to the others that is asked to stop; 1 if it only finds that it is time to save


class RestartPoints(Callback):
    """Saves where the training stands: at its start, at intervals, after each validation that was the best so far, and
    when SIGTERM asks it to stop.

    It does so between two optimizer steps, when all that belongs to the earlier one, a validation too, is done and
    logged. Whoever is killed goes on from the newest restart point with the same batches, masks and numbers; a file
    stands whole or not at all. The best checkpoint is never of steps that a kill undoes.

    Args:
        folder: the run's folder.
        run_id: the run that goes on.
        best: keeps the best checkpoint.
        minutes: the longest time of training between two.
        steps: the most optimizer steps between two; 0 is no such bound.
    """

    def __init__(self, folder: Path, *, run_id: str, best: ModelCheckpoint, minutes: float, steps: int) -> None:
        self.path = folder / RESTART
        self._fresh = self.path.with_suffix(".new")
        self._run_id = run_id
        self._best = best
        self._minutes = minutes
        self._steps = steps
        self.chosen: dict[str, int] = {}
        """What the batcher chose for the machine."""
        self._saved = (-1, 0.0)  # optimizer steps, time
        self._score: torch.Tensor | None = None  # the best one when it was saved
        self._terminated = False
        self._noise: list[dict[str, Any]] | None = None
        self._handled: Any = None
        self._saving: dict[str, Any] | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._listen(self._note)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._stop_listening()
        if largest(int(self._terminated)):  # in the last step or the validation after it, which no further one noticed
            raise Terminated

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._listen(self._leave)  # there is nothing to save

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._stop_listening()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._stop_listening()

    def _listen(self, handler: Callable[[int, FrameType | None], None]) -> None:
        if threading.current_thread() is threading.main_thread():  # only there can handlers be set
            self._handled = signal.signal(signal.SIGTERM, handler)  # over Lightning's, which stops rank by rank

    def _stop_listening(self) -> None:
        if self._handled is not None:
            signal.signal(signal.SIGTERM, self._handled)
            self._handled = None

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if self._terminated:  # somebody is in a hurry
            raise Terminated
        self._terminated = True

    def _leave(self, signum: int, frame: FrameType | None) -> None:
        raise Terminated

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx % trainer.accumulate_grad_batches:
            return
        step = trainer.global_step
        if self._noise is not None:  # the first step of a resumed training, which stands in the file already
            _restore_noise(self._noise[rank()], pl_module.device)
            trainer.fit_loop.epoch_loop._batches_that_stepped = step  # one more, if the point followed a validation
            self._noise, self._saved, self._score = None, (step, time.monotonic()), self._best.best_model_score
            return
        first, late = self._saved[0] < 0, time.monotonic() - self._saved[1] >= 60 * self._minutes
        asked = largest(_STOP if self._terminated else int(late))  # in one way for all processes
        better = self._best.best_model_score is not self._score
        if asked or first or better or 0 < self._steps <= step - self._saved[0]:
            self._save(trainer, pl_module.device)
            self._saved, self._score = (step, time.monotonic()), self._best.best_model_score
        if asked == _STOP:
            print(f"stopped before step {step + 1}. To go on: make resume RUN={self._run_id[:8]}", flush=True)
            raise Terminated

    def _save(self, trainer: pl.Trainer, device: torch.device) -> None:
        """Writes beside the file and puts it in its place; a full disk costs the new point, not the training."""
        self._saving = {"chosen": self.chosen, "noise": of_all(_noise(device))}
        try:
            trainer.save_checkpoint(self._fresh)
        except OSError as error:
            self._keep_the_one_before(trainer, error)
            trainer.strategy.barrier()  # where the others wait
            return
        finally:
            self._saving = None
        if trainer.is_global_zero:  # the others are through
            try:
                _replace(self._fresh, self.path)
            except OSError as error:
                self._keep_the_one_before(trainer, error)

    def _keep_the_one_before(self, trainer: pl.Trainer, error: OSError) -> None:
        with contextlib.suppress(OSError):  # of a disk that takes nothing more
            self._fresh.unlink(missing_ok=True)
        log.warning("No restart point at step %d, the one before stays: %s", trainer.global_step, error)

    def remove(self) -> None:
        """For a training that has ended; also a file that a kill kept from its place."""
        self.path.unlink(missing_ok=True)
        self._fresh.unlink(missing_ok=True)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Between two batches: Lightning has counted the coming one as fetched already."""
        if self._saving is None:
            return
        checkpoint[_STATE] = self._saving
        progress = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        progress["is_last_batch"] = False
        for counts in (progress["total"], progress["current"]):
            counts["ready"] = counts["completed"]

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self._noise = checkpoint[_STATE]["noise"]


def read_restart(path: Path) -> dict[str, Any]:
    """The restart point in a file.

    Raises:
        UserError: there is none, or the file is no restart point.
    """
    if not path.is_file():
        raise UserError(f"there is no restart point {path}: it lies where the run was trained")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        restart = {**content[_STATE], **content["s2s_lit"]}
    except (*BROKEN, pickle.UnpicklingError) as error:
        raise UserError(f"{path} is no restart point of s2s_lit ({reason_of(error)})") from error
    return restart


def require_as_many(restart: Mapping[str, Any]) -> None:
    """Raises a UserError unless as many processes go on as were stopped: each has its own place in the data."""
    if (before := len(restart["noise"])) != world_size():
        raise UserError(
            f"{before} processes were stopped and {world_size()} cannot go on: set trainer.devices={before}"
        )


def _replace(fresh: Path, path: Path) -> None:
    """Puts a file in the place of another, which a crash of the machine does not undo either."""
    for place in (fresh, fresh.parent):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if place == fresh:
            os.replace(fresh, path)


def _noise(device: torch.device) -> dict[str, Any]:
    """The state of the generators that dropout draws from."""
    states = {"cpu": torch.get_rng_state()}
    return states | ({"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def _restore_noise(states: Mapping[str, Any], device: torch.device) -> None:
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
