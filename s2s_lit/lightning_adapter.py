"""Where we reach into Lightning: the counts of its loops and its signal handlers, which it offers no public way to read
or set.

A test names Lightning's version and holds each name that is used here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import lightning.pytorch as pl


def trainer_of(module: pl.LightningModule) -> pl.Trainer | None:
    """The trainer that the module is used by, if there is one; Lightning's own property raises an error instead."""
    return module._trainer


def batches_done(trainer: pl.Trainer) -> tuple[int, int]:
    """The epoch, from 0 on, and how many of its batches Lightning is through with, whatever it fetched ahead."""
    loop = trainer.fit_loop
    state = loop.epoch_loop.batch_progress.state_dict()
    processed, ready = state["current"]["processed"], state["current"]["ready"]
    epoch = max(0, loop.epoch_progress.current.ready - 1)
    return (epoch + 1, 0) if state["is_last_batch"] and processed == ready else (epoch, processed)


def set_logging_step(trainer: pl.Trainer, step: int) -> None:
    """Sets the step at which Lightning logs next.

    It counts one more than was trained where a checkpoint was saved after a validation.
    """
    trainer.fit_loop.epoch_loop._batches_that_stepped = step


def place_between_batches(checkpoint: dict[str, Any]) -> None:
    """Lets a checkpoint that is saved before a batch say so: Lightning has counted that batch as fetched already."""
    progress = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
    progress["is_last_batch"] = False
    for counts in (progress["total"], progress["current"]):
        counts["ready"] = counts["completed"]


class _NoHandlers:
    """Takes the place of what sets Lightning's signal handlers while it fits and tests."""

    received_sigterm = False

    def register_signal_handlers(self) -> None:
        pass

    def teardown(self) -> None:
        pass


def leave_signals_alone(trainer: pl.Trainer) -> None:
    """Keeps Lightning from setting signal handlers of its own in fit and test.

    Its handler of SIGTERM talks to the other processes from within the handler: where these are told to end at the same
    time, or are dead, all wait for one another until the time limit of half an hour.
    """
    handlers: Any = _NoHandlers()
    trainer._signal_connector = handlers
