"""What a trained network costs: its size, and the time of its search."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from jsonargparse import Namespace

from s2s_lit.config.build import Experiment
from s2s_lit.errors import UserError
from s2s_lit.tasks.base import Task
from s2s_lit.tasks.generation import GenerationTask
from s2s_lit.tuning.search.objectives import DECODE_MS, PARAMETERS

_PASSES = 3


def measured(names: Sequence[str], task: Task, config: Namespace) -> dict[str, float]:
    """The costs of these names."""
    found: dict[str, float] = {}
    if PARAMETERS in names:
        found[PARAMETERS] = float(sum(p.numel() for p in task.parameters() if p.requires_grad))
    if DECODE_MS in names:
        found[DECODE_MS] = decode_ms(task, config)
    return found


def decode_ms(task: Task, config: Namespace) -> float:
    """Milliseconds a sentence of the validation split takes the final search: the median of several passes.

    It is a time of this machine with what else runs on it; compare trials of one machine with equal WORKERS.
    """
    if not isinstance(task, GenerationTask):
        raise UserError(f"objectives: {DECODE_MS} is the time of a search, and {type(task).__name__} has none")
    data = Experiment(config).data
    data.fields = task.fields
    data.setup("validate")
    batches = list(data.val_dataloader())
    sentences = sum(len(batch) for batch in batches)
    task.eval()
    seconds = []
    for _ in range(_PASSES):
        since = time.perf_counter()
        for batch in batches:
            task.predict(batch.to(task.device), task.search)
        seconds.append(time.perf_counter() - since)
    return 1000 * statistics.median(seconds) / sentences
