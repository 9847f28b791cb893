"""Trained models, one or several as one, for the verbs that use them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from s2s_lit.cli.build import load
from s2s_lit.decoding.ensemble import Ensemble, Mean
from s2s_lit.decoding.step import StepModel
from s2s_lit.errors import UserError
from s2s_lit.tasks.base import Seq2SeqTask
from s2s_lit.text.codec import CodecPair
from s2s_lit.tracking.store import RunRecord, download_checkpoint, find_run
from s2s_lit.types import Example

BATCH = 64


def load_models(
    selectors: Sequence[str], *, dataset: str | None, mean: Mean, overrides: Sequence[str] = ()
) -> tuple[Seq2SeqTask, StepModel]:
    """The task of the first run, changed by `overrides`, and the model to search with: that run's or an ensemble.

    Raises:
        UserError: a run is not found, or their vocabularies differ.
    """
    records = [find_run(selector, dataset=dataset) for selector in selectors]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tasks = [
        load(download_checkpoint(record), [] if member else overrides)[1].to(device)
        for member, record in enumerate(records)
    ]
    first = tasks[0]
    for record, task in zip(records, tasks, strict=True):
        _require_same_pieces(first.codecs, task.codecs, records[0], record)
    return first, first.model if len(tasks) == 1 else Ensemble([task.model for task in tasks], mean=mean)


def _require_same_pieces(codecs: CodecPair, others: CodecPair, record: RunRecord, other: RunRecord) -> None:
    for side in ("source", "target"):
        one, two = getattr(codecs, side), getattr(others, side)
        if list(one.pieces) != list(two.pieces):
            raise UserError(
                f"runs {record.name} ({record.run_id[:8]}) and {other.name} ({other.run_id[:8]}) have different "
                f"{side} vocabularies ({len(one)} and {len(two)} pieces), so they cannot be one ensemble: choose runs "
                "on the same data with the same data.codec"
            )


def batches_by_length(examples: Sequence[Example], keep: Sequence[int]) -> Iterator[list[int]]:
    """The places `keep` in lists of up to `BATCH`, of similar source lengths."""
    order = sorted(keep, key=lambda i: len(examples[i].source_ids))
    return (order[start : start + BATCH] for start in range(0, len(order), BATCH))
