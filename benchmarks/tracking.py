"""What tracking costs a training step, with an SQLite store and with a server over HTTP.

    .venv/bin/python benchmarks/tracking.py bilstm_attn [--dataset builtin] [--steps 100] [--rounds 6] [--KEY VALUE ...]

Each step logs what a training logs: loss, learning rate, gradient norm, tokens per second and the epoch. Blocks of real
optimizer steps on one thread, longer than values are gathered, follow one another in turns without tracking and with
each store, so that a machine that is busy with something else is busy with it for all of them. Printed for each store,
the first three in percent of an untracked step's median time:

  calls     the wall time of the logging calls in the training's thread
  CPU       the CPU time of these calls, which other processes cannot stretch
  thread    the CPU time of the thread that delivers, an upper bound of how long it can hold Python's lock
  process   the median over rounds of (CPU time of a block with tracking / without it, in the same round) - 1, with half
            of the interquartile range: of the whole process, all that was logged in the block delivered. This decides
            what tracking costs
  blocks    the same of the wall time of the block without what is delivered after it: as noisy as the machine
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import psutil
import torch
from rich.console import Console
from rich.table import Table
from speed import training_step

from s2s_lit.config.build import Experiment
from s2s_lit.config.compose import compose
from s2s_lit.tracking.client.ui import free_port, serving
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.types import Batch

KEYS = ("train/loss", "train/learning_rate", "train/gradient_norm", "train/tokens_per_second")


@dataclass
class Tracked:
    """One store and what was measured of it, in seconds."""

    name: str
    tracker: MlflowTracker | None
    steps: int = 0
    calls: float = 0.0
    cpu: float = 0.0
    thread: float = 0.0
    blocks: list[float] = field(default_factory=list)
    processes: list[float] = field(default_factory=list)

    def log(self) -> None:
        """What one step logs."""
        if self.tracker is None:
            return
        wall, cpu = time.perf_counter(), time.thread_time()
        values = dict.fromkeys(KEYS, self.steps / 7)
        self.tracker.log_metrics({**values, "epoch": self.steps // 100}, step=self.steps)
        self.cpu += time.thread_time() - cpu
        self.calls += time.perf_counter() - wall
        self.steps += 1

    def block(self, step: Callable[[Batch], object], batches: list[Batch]) -> None:
        """Trains with tracking, and waits, outside of the time, until what was logged is delivered."""
        before = delivering_s()
        began, cpu = time.perf_counter(), time.process_time()
        for batch in batches:
            step(batch)
            self.log()
        self.blocks.append(time.perf_counter() - began)
        if self.tracker is not None:
            self.tracker.finalize("success")
            self.thread += delivering_s() - before
        self.processes.append(time.process_time() - cpu)


def delivering_s() -> float:
    """CPU seconds of the threads called `tracking`."""
    ours = {thread.native_id for thread in threading.enumerate() if thread.name == "tracking"}
    return sum(t.user_time + t.system_time for t in psutil.Process().threads() if t.id in ours)


@contextlib.contextmanager
def started(uri: str) -> Iterator[MlflowTracker]:
    """A tracker of a new run in that store."""
    before, os.environ["MLFLOW_TRACKING_URI"] = os.environ.get("MLFLOW_TRACKING_URI"), uri
    tracker = MlflowTracker(dataset="benchmark", experiment="tracking", save_dir=Path(tempfile.mkdtemp()))
    tracker.start()
    try:
        yield tracker
    finally:
        tracker.end("FINISHED")
        if before is None:
            del os.environ["MLFLOW_TRACKING_URI"]
        else:
            os.environ["MLFLOW_TRACKING_URI"] = before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment")
    parser.add_argument("--dataset", default="builtin")
    parser.add_argument("--steps", type=int, default=100, help="optimizer steps of a block")
    parser.add_argument("--rounds", type=int, default=6)
    arguments, overrides = parser.parse_known_args()
    torch.set_num_threads(1)  # so that the process's CPU time is the training's and the tracking's alone
    experiment = Experiment(compose(arguments.experiment, arguments.dataset, overrides, Path("experiments")))
    experiment.data.setup("fit")
    task = experiment.make_task()
    task.train()
    batches = list(islice(cycle(islice(experiment.data.train_dataloader(), 20)), arguments.steps))
    step = training_step(task)
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        port = free_port()
        stack.enter_context(serving(f"sqlite:///{place}/server.db", "127.0.0.1", port))
        stores = {"SQLite": f"sqlite:///{place}/local.db", "server over HTTP": f"http://127.0.0.1:{port}"}
        trackers = {name: stack.enter_context(started(uri)) for name, uri in stores.items()}
        runs = [Tracked("no tracking", None), *(Tracked(name, tracker) for name, tracker in trackers.items())]
        for round_ in range(arguments.rounds + 1):
            for tracked in runs if round_ % 2 else reversed(runs):
                tracked.block(step, batches)
        show(runs, arguments.steps, arguments.rounds)


def show(runs: list[Tracked], steps: int, rounds: int) -> None:
    """The table; the first round warmed up."""
    untracked = runs[0].blocks[1:]
    step_s = statistics.median(untracked) / steps
    table = Table("store", "step, ms", "calls", "CPU", "thread", "process", "blocks")
    for run in runs:
        row = [run.name, f"{1000 * statistics.median(run.blocks[1:]) / steps:.2f}"]
        if run.tracker is not None:
            each = [spent / run.steps for spent in (run.calls, run.cpu, run.thread)]
            row += [f"{spent / step_s:.2%}" for spent in each]
            row += [more(run.processes[1:], runs[0].processes[1:]), more(run.blocks[1:], untracked)]
        table.add_row(*row)
    console = Console(width=100)
    console.print(f"{steps} steps a block, {rounds} rounds; {len(KEYS)} values a step")
    console.print(table)


def more(tracked: list[float], untracked: list[float]) -> str:
    """By how much, the median over rounds with half of the interquartile range."""
    ratios = [with_ / without - 1 for with_, without in zip(tracked, untracked, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:+.2%} ± {(high - low) / 2:.2%}"


if __name__ == "__main__":
    main()
