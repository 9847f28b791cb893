"""What a training tells on its way, and how it ends when it is told to: in one process and in several."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.strategies import DDPStrategy
from torch import nn
from torch.utils.data import DataLoader

from s2s_lit.errors import UserError
from s2s_lit.processes import rank, world_size
from s2s_lit.training.best_checkpoint import BestCheckpoint
from s2s_lit.tuning.execution.reporter import Reporter
from s2s_lit.tuning.search.objectives import Objective, Pruned
from support.processes import run


class Scripted(pl.LightningModule):
    """Its validation scores are given, one a validation."""

    def __init__(self, **scores: list[float]) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self._scores = scores
        self._validations = 0

    def training_step(self, batch: Any, index: int) -> Any:
        return self.layer(batch).sum()

    def validation_step(self, batch: Any, index: int) -> None:
        return

    def on_validation_epoch_end(self) -> None:
        for name, values in self._scores.items():
            self.log(f"val/{name}", values[self._validations])
        self._validations += 1

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(reporter: Reporter, folder: str, **scores: list[float]) -> pl.Trainer:
    """Trains for 16 steps with a validation after each fourth, which is the middle of an epoch of eight."""
    best = BestCheckpoint(dirpath=folder, monitor="val/loss", mode="min")
    several: dict[str, Any] = {"strategy": DDPStrategy(), "devices": world_size()} if world_size() > 1 else {}
    trainer = pl.Trainer(
        max_steps=16,
        val_check_interval=4,
        accelerator="cpu",
        logger=False,
        callbacks=[best, reporter],
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=1,
        use_distributed_sampler=False,
        **several,
    )
    batches = DataLoader(torch.ones(8, 1), batch_size=1)
    trainer.fit(Scripted(**scores), batches, batches)
    return trainer


SCORES = {"bleu": [0.0, 10.0, 30.0, 20.0, 25.0], "loss": [9.0, 4.0, 2.0, 3.0, 2.5]}
"""The first is of the sanity check."""
BLEU = [Objective("val/bleu", True)]


def test_it_reports_shares_and_keeps_the_values_of_the_checkpoint(tmp_path: Any) -> None:
    told: list[tuple[int, float]] = []
    reporter = Reporter(objectives=BLEU, report=lambda place, value: bool(told.append((place, value))))
    fit(reporter, str(tmp_path), **SCORES)
    assert told == [(250, 10.0), (500, 30.0), (750, 20.0), (1000, 25.0)]
    assert reporter.values == {"val/bleu": 30.0}  # where the loss was lowest


def test_it_ends_when_it_is_told_to(tmp_path: Any) -> None:
    reporter = Reporter(objectives=BLEU, report=lambda place, value: place >= 500)
    with pytest.raises(Pruned, match="after 50 %"):
        fit(reporter, str(tmp_path), **SCORES)


def test_a_finished_training_is_not_pruned(tmp_path: Any) -> None:
    reporter = Reporter(objectives=BLEU, report=lambda place, value: place == 1000)
    fit(reporter, str(tmp_path), **SCORES)
    assert reporter.values == {"val/bleu": 30.0}


def test_an_objective_that_is_not_scored_is_named_at_the_first_validation(tmp_path: Any) -> None:
    reporter = Reporter(objectives=[Objective("val/blue", True)], report=lambda place, value: False)
    with pytest.raises(UserError, match="val/blue is no score of a validation; there are: val/bleu, val/loss"):
        fit(reporter, str(tmp_path), **SCORES)


def pruned_in_one_of(folder: str) -> tuple[int, int, list[int]]:
    """Its rank, how far it came, and what it reported."""
    told: list[int] = []

    def report(place: int, value: float) -> bool:
        told.append(place)
        return place == 500

    reporter = Reporter(objectives=BLEU, report=report)
    try:
        fit(reporter, folder, **SCORES)
    except Pruned as pruned:
        return rank(), int(str(pruned).split()[2]), told
    return rank(), 100, told


def test_the_first_process_reports_and_all_end_together(tmp_path: Any) -> None:
    answers = run(pruned_in_one_of, str(tmp_path))
    assert answers == [(0, 50, [250, 500]), (1, 50, [])]
