"""What a run keeps besides metrics: configuration, origin, data, samples, predictions, attention, the checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import torch
import yaml
from lightning.pytorch import Callback, LightningModule, Trainer

from s2s_lit.errors import DivergenceError
from s2s_lit.processes import of_all
from s2s_lit.tasks.base import Task
from s2s_lit.tracking.client.runs import CHECKPOINT, MODE_TAG, MONITOR_TAG, TASK_TAG, best_key
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.records.attention_maps import attention_picture
from s2s_lit.tracking.records.datasets import datasets_of
from s2s_lit.tracking.records.predictions import prediction_line
from s2s_lit.tracking.records.provenance import git_diff, provenance_tags, resumed_tags
from s2s_lit.tracking.records.samples import SAMPLE_COLUMNS, FixedSamples, sample_rows
from s2s_lit.training.best_checkpoint import BestCheckpoint
from s2s_lit.types import Prediction

_MAX_ROWS = 1000  # of the validation table: about 120 validations with 8 sentences
_MAX_PIECES = 45  # of a sentence that is drawn


class RunRecorder(Callback):
    """Records one run through its tracker: where it came from at the start, samples on the way, results at the end.

    Validation and test steps must return `{"predictions": list[Prediction]}`.

    Args:
        tracker: The run.
        config_yaml: The composed configuration, kept as `config.yaml` and, flattened, as parameters.
        checkpoint: What keeps the best checkpoint while training; its file is uploaded once, at the end.
        split: Name of the split that `trainer.test` reads.
        sample_sentences: How many fixed sentences the tables show.
        pictures: For how many of them the attention is drawn.
    """

    def __init__(
        self,
        *,
        tracker: MlflowTracker,
        config_yaml: str,
        checkpoint: BestCheckpoint | None = None,
        split: str = "test",
        sample_sentences: int = 8,
        pictures: int = 4,
    ) -> None:
        self._tracker = tracker
        self._config_yaml = config_yaml
        self._checkpoint = checkpoint
        self._split = split
        self._sample_sentences = sample_sentences
        self._pictures = pictures
        self._described = False
        self._uploaded = ""
        self._rows: list[list[Any]] = []
        self._samples = FixedSamples(size=sample_sentences)
        self._lines: list[tuple[int, str]] = []

    # The start

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self._tracker.share_run_id(trainer.strategy.broadcast)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._describe(trainer, pl_module)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._describe(trainer, pl_module)
        self._samples, self._lines = FixedSamples(size=self._sample_sentences), []

    def _describe(self, trainer: Trainer, model: LightningModule) -> None:
        if self._described or not trainer.is_global_zero:
            return
        self._described = True
        tracker = self._tracker
        tracker.log_text(self._config_yaml, "config.yaml")
        tracker.log_params(yaml.safe_load(self._config_yaml) or {})
        tags = provenance_tags(words=tracker.words)
        dirty = tags.get("s2s.git.dirty") == "true"
        if tracker.resumed:
            tags = resumed_tags(tags)
        tags[TASK_TAG] = cast(Task, model).name
        if self._checkpoint is not None:
            tags |= {MONITOR_TAG: str(self._checkpoint.monitor), MODE_TAG: self._checkpoint.mode}
        tracker.set_tags(tags)
        if dirty:
            tracker.log_text(git_diff(), "resumed.diff" if tracker.resumed else "uncommitted.diff")
        counts = [(p.numel(), p.requires_grad) for p in model.parameters()]
        total, trained = sum(n for n, _ in counts), sum(n for n, learns in counts if learns)
        tracker.log_params({"parameters": {"total": total, "trainable": trained}})
        tracker.log_metrics({"model/parameters": total}, step=trainer.global_step)
        self._log_data(trainer)
        for name, field in getattr(getattr(trainer, "datamodule", None), "fields", {}).items():
            tokens = getattr(getattr(field, "tokenizer", None), "tokens", ())
            if tokens:
                tracker.log_params({"vocabulary": {name: len(tokens)}})
                tracker.log_text("\n".join(tokens) + "\n", f"vocabulary/{name}.txt")

    def _log_data(self, trainer: Trainer) -> None:
        """The data module's report; a stream's counts are complete only at the end, so it is written twice."""
        report = getattr(trainer.datamodule, "report", None)  # type: ignore[attr-defined]
        if report:
            self._tracker.log_text(json.dumps(report, indent=2, ensure_ascii=False, default=str), "data_report.json")
            prints = {split: counts["fingerprint"] for split, counts in report.get("splits", {}).items()}
            self._tracker.set_tags({"s2s.fingerprint": json.dumps(prints)})
            for data in datasets_of(self._tracker.dataset, report):
                self._tracker.log_dataset(data)
            counted = {split: counts for split, counts in report.get("splits", {}).items() if counts.get("rows")}
            self._tracker.log_metrics(dict(_row_counts(counted)), step=trainer.global_step)

    # On the way

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._samples = FixedSamples(size=self._sample_sentences)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        for prediction in outputs["predictions"]:
            self._samples.add(prediction)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking:
            return
        rows = self._rows + sample_rows(self._samples_of_all(), trainer.global_step)
        self._rows = rows[-_MAX_ROWS:]
        self._tracker.log_table(SAMPLE_COLUMNS, self._rows, "samples/validation.json")
        if self._checkpoint is not None and self._checkpoint.improves(trainer.callback_metrics):
            # This checkpoint will be kept, so these scores are the run's.
            found = {best_key(k): v for k, v in trainer.callback_metrics.items() if k.startswith("val/")}
            self._tracker.log_metrics(found, step=trainer.global_step)

    def _samples_of_all(self) -> list[Prediction]:
        """The fixed sentences of the whole split, of which each process has seen a part."""
        samples = FixedSamples(size=self._sample_sentences)
        for predictions in of_all(self._samples.sorted()):
            for prediction in predictions:
                samples.add(prediction)
        return samples.sorted()

    # The end

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero:
            self._log_data(trainer)
            self._log_checkpoint(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if trainer.is_global_zero and isinstance(exception, KeyboardInterrupt | SystemExit | DivergenceError):
            self._log_checkpoint(trainer)  # a run that was stopped by hand is often one that was good enough

    def _log_checkpoint(self, trainer: Trainer) -> None:
        path = "" if self._checkpoint is None else self._checkpoint.best_model_path
        if path and path != self._uploaded and Path(path).is_file():
            self._uploaded = path
            self._tracker.log_artifact(path, CHECKPOINT)

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        for prediction in outputs["predictions"]:
            self._samples.add(prediction)
            self._lines.append((prediction.row, prediction_line(prediction)))

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        lines, samples = _from_all_ranks(trainer, self._lines), self._samples_of_all()
        if not trainer.is_global_zero or not lines:
            return
        self._log_data(trainer)  # now with the split that the scores are about
        rows = sample_rows(samples, trainer.global_step)
        self._tracker.log_text("".join(f"{line}\n" for _, line in lines), f"predictions/{self._split}.jsonl")
        self._tracker.log_table(SAMPLE_COLUMNS, rows, f"samples/{self._split}.json")
        if texts := cast(Task, pl_module).samples():
            self._tracker.log_text("".join(f"{text}\n" for text in texts), "samples/generated.txt")
        for number, prediction in enumerate([p for p in samples if _drawable(p)][: self._pictures], start=1):
            self._tracker.log_figure(attention_picture(prediction), f"attention/{self._split}-{number}.png")

    # What a checkpoint carries on

    def state_dict(self) -> dict[str, Any]:
        """The rows that the table already has."""
        return {"rows": self._rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._rows = state_dict["rows"]


def _row_counts(splits: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, int]]:
    """`data/SPLIT/rows` and `kept`, and how many were lost to each reason; a split that was not read yet has none."""
    for split, counts in splits.items():
        yield from ((f"data/{split}/{name}", counts[name]) for name in ("rows", "kept"))
        for kind in ("dropped", "malformed"):
            yield from ((f"data/{split}/{kind}/{reason}", count) for reason, count in counts.get(kind, {}).items())


def _drawable(prediction: Prediction) -> bool:
    longest = max(len(prediction.input_tokens), len(prediction.target_tokens))
    return prediction.weights is not None and longest <= _MAX_PIECES


def _from_all_ranks(trainer: Trainer, lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """All ranks' lines, on rank 0, in the order of the split; a row that two ranks had counts once."""
    if trainer.world_size > 1:
        gathered: list[Any] | None = [None] * trainer.world_size if trainer.is_global_zero else None
        torch.distributed.gather_object(lines, gathered)
        lines = list({row: line for part in gathered or [] for row, line in part}.items())
    return sorted(lines)
