"""A callback that lets a training stand still at one place, so that something can happen to it there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback


class Pause(Callback):
    """Once, in one process.

    Args:
        place: The callback's method in which it waits.
        rank: The process.
        file: Made when it waits; where it is there already, nothing waits.
    """

    def __init__(self, place: str, rank: int, file: str) -> None:
        self._rank, self._file = rank, Path(file)
        setattr(self, place, self._wait)

    def _wait(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        if trainer.global_rank == self._rank and not self._file.exists():
            self._file.touch()
            time.sleep(600)
