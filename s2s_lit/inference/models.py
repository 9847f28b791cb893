"""Trained models: one run, or several as one ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from s2s_lit.config.build import load
from s2s_lit.data.fields.fields import Fields
from s2s_lit.decoding.ensemble import Ensemble, Mean
from s2s_lit.decoding.search import Search
from s2s_lit.decoding.step import StepModel
from s2s_lit.errors import UserError
from s2s_lit.tasks.base import Task
from s2s_lit.tracking.client.runs import RunRecord, download_checkpoint, find_run
from s2s_lit.types import Example, Hypothesis


@dataclass(frozen=True)
class Models:
    """What runs are used by.

    Attributes:
        task: Of the first run.
        model: What is searched: the task's own, or an ensemble.
        batch_size: Examples at a time.
    """

    task: Task
    model: StepModel
    batch_size: int

    @property
    def fields(self) -> Fields:
        """The fields, with their tokenizers."""
        return self.task.fields

    @property
    def device(self) -> torch.device:
        return self.task.device

    @property
    def search(self) -> Search:
        """The search that the run is configured with."""
        return self.task.search  # type: ignore[return-value]

    @property
    def needs_weights(self) -> bool:
        """Whether `text_of` needs the attention's weights."""
        return bool(getattr(self.task, "replaces_unknown", False))

    def text_of(self, hypothesis: Hypothesis, example: Example) -> str:
        """The detokenized text of an output."""
        return self.task.text_of(hypothesis, next(iter(example.texts.values()), ""))  # type: ignore[operator]


def load_models(selectors: Sequence[str], *, dataset: str | None, mean: Mean, overrides: Sequence[str] = ()) -> Models:
    """The runs as one; `overrides` change the configuration of the first.

    Raises:
        UserError: A run is not found, or their vocabularies differ.
    """
    records = [find_run(selector, dataset=dataset) for selector in selectors]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    loaded = [load(download_checkpoint(record), [] if member else overrides) for member, record in enumerate(records)]
    tasks = [task.to(device) for _, task in loaded]
    for record, task in zip(records, tasks, strict=True):
        _require_same_tokens(tasks[0].fields, task.fields, records[0], record)
    model = tasks[0].model if len(tasks) == 1 else Ensemble([task.model for task in tasks], mean=mean)
    return Models(tasks[0], model, loaded[0][0].data.eval_batch_size)


def _require_same_tokens(fields: Fields, others: Fields, record: RunRecord, other: RunRecord) -> None:
    names = f"runs {record.name} ({record.run_id[:8]}) and {other.name} ({other.run_id[:8]})"
    if list(fields) != list(others):
        raise UserError(f"{names} have different fields, so they cannot be one ensemble")
    for name, field in fields.text_fields.items():
        one, two = field.tokenizer.tokens, others.text_fields[name].tokenizer.tokens
        if list(one) != list(two):
            raise UserError(
                f"{names} have different {name} vocabularies ({len(one)} and {len(two)} tokens), so they cannot be one "
                "ensemble: choose runs on the same data with the same data.tokenizer"
            )
