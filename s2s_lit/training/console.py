"""What a person sees of a training in the terminal: what is trained, and a line at each validation."""

from __future__ import annotations

import logging
import math
import sys
import time
import warnings
from typing import cast

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback, TQDMProgressBar

from s2s_lit.data.datamodule import DataModule
from s2s_lit.tasks.base import Task


class TrainingLines(Callback):
    """What is trained, on how much, and where; then one line a validation, also where no progress bar is shown: losses
    and the task's first two text metrics."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._since = time.monotonic()
        if trainer.is_global_zero:
            print(what_is_trained(trainer, cast(Task, pl_module)), flush=True)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero or trainer.sanity_checking:
            return
        shown = {"train/loss": "train loss", "val/loss": "val loss", "val/perplexity": "ppl"}
        shown |= {f"val/{metric.name}": metric.label for metric in cast(Task, pl_module).text_metrics[:2]}
        values = [
            f"{label} {trainer.callback_metrics[key]:.3f}"
            for key, label in shown.items()
            if key in trainer.callback_metrics
        ]
        rate = trainer.callback_metrics.get("train/tokens_per_second")
        values += [f"{rate:.0f} tokens/s"] if rate is not None else []
        elapsed = int(time.monotonic() - self._since)
        print(
            f"step {trainer.global_step:>6}  epoch {trainer.current_epoch + 1:>3}  "
            f"{elapsed // 60:>3}:{elapsed % 60:02}  {'  '.join(values)}",
            flush=True,
        )


def what_is_trained(trainer: pl.Trainer, task: Task) -> str:
    """Two lines: the model's size; the training's length and place (of a stream only the steps are known)."""
    data: DataModule = trainer.datamodule  # type: ignore[attr-defined]
    batches, processes = trainer.num_training_batches, trainer.world_size
    facts = [
        "pairs of a stream" if data.streaming else f"pairs {data.report['splits']['train']['kept']:,}",
        *([f"batches an epoch {batches:,}"] if math.isfinite(batches) else []),
        *([f"epochs {trainer.max_epochs:,}"] if trainer.max_steps == -1 else []),
        f"steps {trainer.estimated_stepping_batches:,}",
        *([f"processes {processes}"] if processes > 1 else []),
        f"device {trainer.strategy.root_device.type}",
        f"precision {trainer.precision}",
    ]
    parameters = sum(parameter.numel() for parameter in task.parameters())
    return f"model: {parameters:,} parameters\ntraining: {', '.join(facts)}"


def quiet_libraries() -> None:
    """Keeps Lightning's advertisements and the notes that our design answers out of the terminal."""
    for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for note in (
        ".*does not have many workers.*",  # batches are planned ahead and cut from memory
        ".*treespec.*",
        ".*sync_dist=True.*",  # what is logged is of all processes already
        ".*Checkpoint directory .* exists and is not empty.*",  # a resumed training's own; what waits for the store
    ):
        warnings.filterwarnings("ignore", message=note)


def progress_callbacks() -> list[Callback]:
    """A bar where there is a terminal, lines everywhere."""
    bars: list[Callback] = [TQDMProgressBar(refresh_rate=10, leave=False)] if sys.stderr.isatty() else []
    return [*bars, TrainingLines()]
