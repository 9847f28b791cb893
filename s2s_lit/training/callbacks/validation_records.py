"""What a run keeps of its validations: where the network looks, how it learns."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from s2s_lit.data.batching.collate import collate
from s2s_lit.tasks.generation import GenerationTask
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.records.attention_maps import attention_picture
from s2s_lit.tracking.records.learning_curve import learning_curve
from s2s_lit.tracking.records.samples import FixedSamples

_LONGEST = 30  # tokens of a source that is drawn
_CURVE = ("train/loss", "val/loss")


class ValidationRecords(Callback):
    """Draws the attention of the same sentences at each validation, and the learning curve at the end.

    The pictures are of the final search, which is run for these sentences alone.

    Args:
        tracker: The run.
        checkpoint: What chooses the best checkpoint.
        pictures: How many sentences are drawn.
    """

    def __init__(self, tracker: MlflowTracker, checkpoint: ModelCheckpoint, *, pictures: int = 1) -> None:
        self._tracker, self._checkpoint, self._pictures = tracker, checkpoint, pictures
        self._drawn: list[dict[str, str]] = []  # the inputs
        self._offered = FixedSamples(size=pictures)
        self._points: list[dict[str, float]] = []

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        if not self._drawn and not trainer.sanity_checking:
            for prediction in outputs["predictions"]:
                if 3 < len(prediction.input_tokens) <= _LONGEST:
                    self._offered.add(prediction)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        monitor = str(self._checkpoint.monitor)
        known = {key: float(v) for key, v in trainer.callback_metrics.items() if key in (*_CURVE, monitor)}
        self._points.append({"step": trainer.global_step, **known})
        self._drawn = self._drawn or [prediction.inputs for prediction in self._offered.sorted()]
        if self._drawn and pl_module.model.attends:
            self._draw(trainer, pl_module)

    def _draw(self, trainer: pl.Trainer, task: GenerationTask) -> None:
        batch = collate(task.fields.encode(self._drawn), task.fields).to(task.device)
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
