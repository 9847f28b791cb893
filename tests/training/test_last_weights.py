"""The last weights of a training are validated, and so can be its best."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.demos.boring_classes import BoringModel

from s2s_lit.training.trainer import ValidateAtEnd


class Validated(Callback):
    def __init__(self) -> None:
        self.steps: list[int] = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.steps.append(trainer.global_step)


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"max_epochs": 3}, [2, 4, 6]),
        ({"max_epochs": 3, "check_val_every_n_epoch": 2}, [4, 6]),
        ({"max_epochs": 3, "check_val_every_n_epoch": 9}, [6]),
        ({"max_epochs": 3, "check_val_every_n_epoch": None, "val_check_interval": 3}, [3, 6]),
        ({"max_steps": 5, "check_val_every_n_epoch": 9}, [5]),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore")
def test_a_training_ends_with_a_validation(settings: dict[str, Any], steps: list[int], tmp_path: Path) -> None:
    validated = Validated()
    trainer = Trainer(
        **settings, callbacks=[ValidateAtEnd(), validated], limit_train_batches=2, limit_val_batches=1,
        num_sanity_val_steps=0, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(BoringModel())
    assert validated.steps == steps
