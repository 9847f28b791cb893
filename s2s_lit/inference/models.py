"""Trained models: one run, or several as one ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from s2s_lit.config.build import load
from s2s_lit.decoding.ensemble import Ensemble, Mean
from s2s_lit.decoding.step import StepModel
from s2s_lit.errors import UserError
from s2s_lit.tasks.base import Task
from s2s_lit.text.tokenizer import TokenizerPair
from s2s_lit.tracking.client.runs import RunRecord, download_checkpoint, find_run


class Models(NamedTuple):
    """What runs are used by.

    Attributes:
        task: of the first run.
        model: what is searched: the task's own, or an ensemble.
        batch_size: sentences at a time.
    """

    task: Task
    model: StepModel
    batch_size: int


def load_models(selectors: Sequence[str], *, dataset: str | None, mean: Mean, overrides: Sequence[str] = ()) -> Models:
    """The runs as one; `overrides` change the configuration of the first.

    Raises:
        UserError: a run is not found, or their vocabularies differ.
    """
    records = [find_run(selector, dataset=dataset) for selector in selectors]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    loaded = [load(download_checkpoint(record), [] if member else overrides) for member, record in enumerate(records)]
    tasks = [task.to(device) for _, task in loaded]
    first = tasks[0]
    for record, task in zip(records, tasks, strict=True):
        _require_same_tokens(first.tokenizers, task.tokenizers, records[0], record)
    model = first.model if len(tasks) == 1 else Ensemble([task.model for task in tasks], mean=mean)
    return Models(first, model, loaded[0][0].data.eval_batch_size)


def _require_same_tokens(tokenizers: TokenizerPair, others: TokenizerPair, record: RunRecord, other: RunRecord) -> None:
    for side in ("source", "target"):
        one, two = getattr(tokenizers, side), getattr(others, side)
        if list(one.tokens) != list(two.tokens):
            raise UserError(
                f"runs {record.name} ({record.run_id[:8]}) and {other.name} ({other.run_id[:8]}) have different "
                f"{side} vocabularies ({len(one)} and {len(two)} tokens), so they cannot be one ensemble: choose runs "
                "on the same data with the same data.tokenizer"
            )
