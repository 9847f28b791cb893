"""How fast several processes train together, against one process with all their threads.

    make benchmark-processes [EXP=bilstm_attn] [DATA=builtin] [DATA_DIR=folder] [ARGS="--processes 2 --steps 40"]

Each process has one thread, the one process as many as there are processes. Both take optimizer steps (forward,
backward, clipping, update) as the trainer takes them, on batches as they are dealt to them: one process accumulates as
many as several share. With the default number of steps these are the same sentences. They do so in turns; of each the
best turn counts, as absolute times on shared machines are noise. Printed are the target tokens per second of all
processes together.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from functools import partial
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from rich.console import Console
from rich.table import Table

from s2s_lit.config.build import Experiment
from s2s_lit.config.compose import compose
from s2s_lit.processes import joined
from s2s_lit.training.allocator import keep_freed_memory
from s2s_lit.training.launch import for_processes, leaves_out
from s2s_lit.training.preparation import prepare
from s2s_lit.training.quiet_libraries import quiet_libraries
from s2s_lit.types import Batch

ROUNDS = 3
WARM_UP = 3


class Clock(pl.Callback):
    """Seconds and target tokens of the batches from number `start` on."""

    def __init__(self, start: int) -> None:
        self.start, self.since, self.seconds, self.tokens = start, 0.0, 0.0, 0

    def on_train_batch_start(self, trainer: pl.Trainer, task: Any, batch: Batch, index: int) -> None:
        if index == self.start:
            self.since = time.perf_counter()
        if index >= self.start:
            self.tokens += int(batch.target.lengths.sum())

    def on_train_end(self, trainer: pl.Trainer, task: Any) -> None:
        self.seconds = time.perf_counter() - self.since


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment")
    parser.add_argument("--dataset", default="builtin")
    parser.add_argument("--data_dir")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--steps", type=int, default=61, help="optimizer steps of a turn, three more warm up")
    arguments, overrides = parser.parse_known_args()
    if arguments.data_dir:
        overrides.append(f"--data.corpus.data_dir={arguments.data_dir}")
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    count = arguments.processes
    kinds = {
        f"one process, {count} threads": partial(alone, arguments, overrides),
        f"{count} processes, one thread each": partial(together, arguments, overrides),
    }
    rates: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, kind in kinds.items():
            rates[name].append(kind())
    report(arguments, rates)


def train(arguments: argparse.Namespace, overrides: list[str], count: int) -> float:
    """Target tokens per second of this one of `count` processes, which trains on its share of the batches."""
    accumulate = arguments.processes // count
    torch.set_num_threads(accumulate)
    quiet_libraries()
    warnings.filterwarnings("ignore", message=".*no `val_dataloader`.*")
    keep_freed_memory()
    experiment = Experiment(compose(arguments.experiment, arguments.dataset, overrides, Path("experiments")))
    prepare(experiment.data)
    task = experiment.make_task()
    clock, given = Clock(WARM_UP * accumulate), {"strategy": "auto", "devices": 1, "accelerator": "cpu"}
    trainer = pl.Trainer(
        **for_processes(given, unused=leaves_out(task.model, experiment.data.batcher)),
        max_epochs=1, accumulate_grad_batches=accumulate, gradient_clip_val=1.0,
        limit_train_batches=accumulate * (arguments.steps + WARM_UP), callbacks=[clock], logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        use_distributed_sampler=False, limit_val_batches=0,
    )  # fmt: skip
    trainer.fit(task, experiment.data)
    return clock.tokens / clock.seconds


def alone(arguments: argparse.Namespace, overrides: list[str]) -> float:
    """In a process of its own, too, so that each turn begins alike."""
    return sum(in_processes(1, arguments, overrides))


def together(arguments: argparse.Namespace, overrides: list[str]) -> float:
    return sum(in_processes(arguments.processes, arguments, overrides))


def in_processes(count: int, arguments: argparse.Namespace, overrides: list[str]) -> list[float]:
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    results = mp.get_context("spawn").SimpleQueue()
    given = (count, store.port, results, arguments, overrides)
    mp.start_processes(work, args=given, nprocs=count, join=True, start_method="spawn")
    return [results.get() for _ in range(count)]


def work(
    number: int,
    count: int,
    port: int,
    results: SimpleQueue[float],
    arguments: argparse.Namespace,
    overrides: list[str],
) -> None:
    if count > 1:
        os.environ |= {
            "TORCHELASTIC_RUN_ID": "benchmark",
            "TORCHELASTIC_USE_AGENT_STORE": "True",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "RANK": str(number),
            "LOCAL_RANK": str(number),
            "WORLD_SIZE": str(count),
            "LOCAL_WORLD_SIZE": str(count),
        }
    with joined():
        results.put(train(arguments, overrides, count))


def report(arguments: argparse.Namespace, rates: dict[str, list[float]]) -> None:
    print(f"{arguments.experiment} on {arguments.dataset}, best of {ROUNDS} turns of {arguments.steps} steps")
    table = Table()
    for column in ("training", "target tokens/s", "of one process"):
        table.add_column(column, justify="left" if column == "training" else "right")
    base = max(next(iter(rates.values())))
    for name, found in rates.items():
        table.add_row(name, f"{max(found):,.0f}", f"{max(found) / base:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
