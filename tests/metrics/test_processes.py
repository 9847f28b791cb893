"""Metrics over two real processes."""

from __future__ import annotations

import warnings
from datetime import timedelta
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from s2s_lit.metrics.likelihood import Likelihood
from s2s_lit.metrics.text import TextMetric
from support.parts import concrete_subclasses

KINDS = concrete_subclasses(TextMetric, "s2s_lit.metrics")
HYPOTHESES = ["Ein Hund läuft im Park.", "Zwei Frauen singen laut.", "Er hat das Haus nicht gesehen."]
REFERENCES = ["Ein Hund rennt durch den Park.", "Zwei Frauen singen.", "Er hat das kleine Haus nicht gesehen."]
LOSSES = [(4.0, [True, False, False]), (7.5, [True, True, False, False]), (1.25, [True, True])]


def scores(rows: list[int]) -> dict[str, float]:
    """All metrics after an update with each of the rows."""
    metrics, likelihood = [kind() for kind in KINDS], Likelihood()
    for row in rows:
        for metric in metrics:
            metric.update([HYPOTHESES[row]], [[REFERENCES[row], REFERENCES[row].lower()]])
        nll, hits = (torch.tensor(value) for value in LOSSES[row])
        likelihood.update(nll, hits, torch.ones(1, len(hits), dtype=torch.bool))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torchmetrics saw no update on one of the ranks
        computed = {metric.name: metric.compute() for metric in metrics} | likelihood.compute()
    return {name: value.item() for name, value in computed.items()}


def work(rank: int, store: str, shares: list[list[int]], results: SimpleQueue[tuple[int, dict[str, float]]]) -> None:
    torch.set_num_threads(1)
    timeout = timedelta(seconds=30)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2, timeout=timeout)
    results.put((rank, scores(shares[rank])))
    dist.destroy_process_group()


@pytest.mark.parametrize("shares", [[[0, 2], [1]], [[0, 1, 2], []]], ids=["both", "one rank without any"])
def test_two_processes_score_as_one(shares: list[list[int]], tmp_path: Path) -> None:
    context = mp.get_context("fork")
    results = context.SimpleQueue()
    mp.start_processes(work, args=(str(tmp_path / "store"), shares, results), nprocs=2, start_method="fork")
    found = dict(results.get() for _ in range(2))
    assert found[0] == found[1] == scores([0, 1, 2])
