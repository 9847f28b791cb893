"""What a training prints."""

from __future__ import annotations

import math
import sys

import lightning.pytorch as pl
from tqdm import tqdm

from s2s_lit.data.datamodule import DataModule
from s2s_lit.tasks.base import Task


def say(text: str) -> None:
    """Prints at once, above a progress bar if there is one."""
    tqdm.write(text, file=sys.stdout)
    sys.stdout.flush()


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
