"""What a run keeps of each validation that only the task can tell: its score by sentence length, where it looks."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from s2s_lit.data.collate import collate
from s2s_lit.metrics.buckets import LENGTH_LABELS, length_label
from s2s_lit.metrics.text import TextMetric
from s2s_lit.tasks.base import Seq2SeqTask
from s2s_lit.text.lines import encode_lines
from s2s_lit.tracking.attention_maps import attention_picture
from s2s_lit.tracking.curves import learning_curve
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.samples import FixedSamples
from s2s_lit.types import Prediction

_LONGEST = 30  # pieces of a source that is drawn
_CURVE = ("train/loss", "val/loss")


class ValidationRecords(Callback):
    """Logs `SPLIT/METRIC_by_length/WORDS`, the task's first text metric over the sources with so many words, at each
    validation and test; draws the attention of the same sentences at each validation, and the learning curve at the
    end.

    The sums are whole numbers added over processes, as the metrics' own. The pictures are of the final search, which
    is run for these sentences alone.

    Args:
        tracker: The run.
        checkpoint: What chooses the best checkpoint.
        pictures: How many sentences are drawn.
    """

    def __init__(self, tracker: MlflowTracker, checkpoint: ModelCheckpoint, *, pictures: int = 1) -> None:
        self._tracker, self._checkpoint, self._pictures = tracker, checkpoint, pictures
        self._sums: dict[str, list[list[int]]] = {}
        self._drawn: list[str] = []
        self._offered = FixedSamples(size=pictures)
        self._points: list[dict[str, float]] = []

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._sums = {}

    def on_test_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._sums = {}

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        self._add(pl_module, outputs["predictions"])
        if not self._drawn and not trainer.sanity_checking:
            for prediction in outputs["predictions"]:
                if 3 < len(prediction.source_pieces) <= _LONGEST:
                    self._offered.add(prediction)

    def on_test_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        self._add(pl_module, outputs["predictions"])

    def _add(self, task: Seq2SeqTask, predictions: list[Prediction]) -> None:
        for metric in task.text_metrics[:1]:
            for prediction in predictions:
                row = [1, *metric.statistics(prediction.hypothesis, prediction.reference)]
                self._sums.setdefault(length_label(prediction.source), []).append(row)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        if not trainer.sanity_checking:
            self._log_by_length(trainer, pl_module, "val")

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self._log_by_length(trainer, pl_module, pl_module.test_split)

    def _log_by_length(self, trainer: pl.Trainer, task: Seq2SeqTask, split: str) -> None:
        for metric in task.text_metrics[:1]:
            scores = self._by_length(trainer, metric, task.device)
            found = {f"{split}/{metric.name}_by_length/{label}": score for label, score in scores.items()}
            self._tracker.log_metrics(found, step=trainer.global_step)

    def _by_length(self, trainer: pl.Trainer, metric: TextMetric, device: torch.device) -> dict[str, float]:
        """The corpus score of each group that has a sentence, over all processes."""
        sums = torch.zeros(len(LENGTH_LABELS), metric.size + 1, dtype=torch.int64, device=device)
        for position, label in enumerate(LENGTH_LABELS):
            for row in self._sums.get(label, []):
                sums[position] += torch.tensor(row, device=device)
        total = trainer.strategy.reduce(sums, reduce_op="sum")
        groups = zip(LENGTH_LABELS, total.tolist(), strict=True)
        return {label: metric.score(rest, pairs) for label, (pairs, *rest) in groups if pairs}

    def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        monitor = str(self._checkpoint.monitor)
        known = {key: float(v) for key, v in trainer.callback_metrics.items() if key in (*_CURVE, monitor)}
        self._points.append({"step": trainer.global_step, **known})
        self._drawn = self._drawn or [prediction.source for prediction in self._offered.sorted()]
        if self._drawn and pl_module.model.decoder.attention is not None:
            self._draw(trainer, pl_module)

    def _draw(self, trainer: pl.Trainer, task: Seq2SeqTask) -> None:
        batch = collate(encode_lines(self._drawn, task.codecs)).to(task.device)
        for number, prediction in enumerate(task.predict(batch, task.search), start=1):
            if prediction.weights is not None and prediction.weights.numel():
                path = f"attention/validation-{number}/step-{trainer.global_step:06}.png"
                self._tracker.log_figure(attention_picture(prediction), path)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero and self._points:
            best = self._checkpoint
            figure = learning_curve(self._points, str(best.monitor), higher_is_better=best.mode == "max")
            self._tracker.log_figure(figure, "learning_curve.png")

    # What a checkpoint carries on

    def state_dict(self) -> dict[str, Any]:
        return {"points": self._points, "drawn": self._drawn}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._points, self._drawn = state_dict["points"], state_dict["drawn"]
