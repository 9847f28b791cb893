"""A run's score by sentence length."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback

from s2s_lit.metrics.buckets import LENGTH_LABELS, length_label
from s2s_lit.metrics.text import TextMetric
from s2s_lit.tasks.base import Task
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.types import Prediction


class ScoresByLength(Callback):
    """Logs `SPLIT/METRIC_by_length/WORDS`, the task's first text metric over the sources with so many words, at each
    validation and test. The sums are whole numbers added over processes, as the metrics' own.

    Args:
        tracker: The run.
    """

    def __init__(self, tracker: MlflowTracker) -> None:
        self._tracker = tracker
        self._sums: dict[str, list[int]] = {}  # of each group its pairs, then the metric's sums

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._sums = {}

    def on_test_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._sums = {}

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        self._add(pl_module, outputs["predictions"])

    def on_test_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        self._add(pl_module, outputs["predictions"])

    def _add(self, task: Task, predictions: list[Prediction]) -> None:
        if not predictions:  # of an idle batch
            return
        for metric in task.text_metrics[:1]:
            for prediction, row in zip(predictions, metric.added, strict=True):
                label = length_label(prediction.source)
                before = self._sums.get(label, _nothing(metric))
                self._sums[label] = [one + more for one, more in zip(before, [1, *row], strict=True)]

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        if not trainer.sanity_checking:
            self._log_by_length(trainer, pl_module, "val")

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self._log_by_length(trainer, pl_module, pl_module.test_split)

    def _log_by_length(self, trainer: pl.Trainer, task: Task, split: str) -> None:
        for metric in task.text_metrics[:1]:
            scores = self._by_length(trainer, metric, task.device)
            found = {f"{split}/{metric.name}_by_length/{label}": score for label, score in scores.items()}
            self._tracker.log_metrics(found, step=trainer.global_step)

    def _by_length(self, trainer: pl.Trainer, metric: TextMetric, device: torch.device) -> dict[str, float]:
        """The corpus score of each group that has a sentence, over all processes."""
        own = [self._sums.get(label, _nothing(metric)) for label in LENGTH_LABELS]
        sums = torch.tensor(own, dtype=torch.int64, device=device)
        total = trainer.strategy.reduce(sums, reduce_op="sum")
        groups = zip(LENGTH_LABELS, total.tolist(), strict=True)
        return {label: metric.score(rest, pairs) for label, (pairs, *rest) in groups if pairs}


def _nothing(metric: TextMetric) -> list[int]:
    return [0] * (metric.size + 1)
