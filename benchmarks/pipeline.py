"""How fast rows become batches, how long training waits for them, and whether memory grows with the corpus.

    .venv/bin/python benchmarks/pipeline.py [--rows 100000 1000000 10000000] [--experiment bilstm_attn]

The corpus is 100,000 pairs of the built-in grammar in a gzipped JSON lines file, which is listed as often as it takes.
Each line of the first table is a process of its own that passes once over the shuffled training split, without a
network: rows per second, and the most memory that it held beyond what it had before the pass. The second table trains
the experiment's network for some steps and tells which share of the time went by waiting for the next batch.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table
from speed import training_step

from s2s_lit.config.build import Experiment
from s2s_lit.config.compose import compose
from s2s_lit.corpora.captions.generate import generate

PART = 100_000  # rows of the file
WORKERS = (0, 1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--in_memory", type=int, default=1_000_000, help="most rows that are also read into memory")
    parser.add_argument("--experiment", default="bilstm_attn")
    parser.add_argument("--steps", type=int, default=60)
    arguments = parser.parse_args()
    processes = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        file = write_corpus(Path(folder) / "part.jsonl.gz")
        table = Table("rows", "", "workers", "rows/s", "memory of the pass, MB", title="one pass")
        for rows in arguments.rows:
            kinds = [(True, workers) for workers in WORKERS] if rows <= arguments.in_memory else [(True, 1)]
            for streaming, workers in [*kinds, *([(False, 0)] if rows <= arguments.in_memory else [])]:
                with ProcessPoolExecutor(1, processes) as pool:
                    passed = pool.submit(one_pass, arguments.experiment, file, rows, streaming, workers)
                    rate, memory = passed.result()
                kind = "streaming" if streaming else "in memory, encoding counted"
                table.add_row(f"{rows:,}", kind, str(workers), f"{rate:,.0f}", f"{memory / 1e6:,.0f}")
        Console().print(table)
        table = Table("", "workers", "ms a step", "share of it waiting", title=f"training {arguments.experiment}")
        for streaming in (False, True):
            for workers in WORKERS:
                step, share = waiting(arguments.experiment, file, arguments.steps, streaming, workers)
                table.add_row(
                    "streaming" if streaming else "in memory", str(workers), f"{1e3 * step:.1f}", f"{share:.2%}"
                )
        Console().print(table)


def write_corpus(file: Path) -> str:
    with gzip.open(file, "wt", encoding="utf-8") as lines:
        for row in generate("train", seed=1, rows=PART):
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    return str(file)


def experiment_on(name: str, file: str, rows: int, streaming: bool, workers: int) -> Experiment:
    """The experiment with so many rows; its vocabulary is that of 20,000 of them."""
    parts = {"train": [file] * max(1, rows // PART), "validation": file, "test": file}
    source = json.dumps({"class_path": "FileCorpus", "init_args": {"files": parts}})
    small = compose(name, "builtin", ["--data.corpus.train_rows=20000"])
    config = compose(
        name, "builtin", [f"--data.corpus={source}", f"--data.streaming={streaming}", f"--data.num_workers={workers}"]
    )
    vocabulary = Experiment(small).data
    vocabulary.setup()
    experiment = Experiment(config)
    experiment.data.fields.load_state(vocabulary.fields.state())
    return experiment


def one_pass(name: str, file: str, rows: int, streaming: bool, workers: int) -> tuple[float, int]:
    """Rows per second, and bytes of this process and its workers beyond those before the pass."""
    data = experiment_on(name, file, rows, streaming, workers).data
    with peak_memory() as peak:
        since = time.perf_counter()
        data.setup("fit")
        seen = sum(len(batch.rows) for batch in data.train_dataloader())
        taken = time.perf_counter() - since
    counted = data.report["splits"]["train"]
    assert counted["rows"] == rows, counted
    assert seen == counted["kept"], (seen, counted)
    return rows / taken, peak[0]


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """The most proportional memory of this process and its children within the body, beyond what it was before."""
    process, most, ended = psutil.Process(), [0], threading.Event()
    before = used(process)

    def watch() -> None:
        while not ended.wait(0.25):
            most[0] = max(most[0], used(process) - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def used(process: psutil.Process) -> int:
    """Shared pages count once, divided among those who share them."""
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_full_info().pss
        except psutil.Error:  # it has just ended
            continue
    return total


def waiting(name: str, file: str, steps: int, streaming: bool, workers: int) -> tuple[float, float]:
    """Seconds of a step, and which share of all passed until the next batch was there."""
    experiment = experiment_on(name, file, PART, streaming, workers)
    experiment.data.setup("fit")
    step = training_step(experiment.make_task())
    batches = iter(experiment.data.train_dataloader())
    for batch in islice(batches, 5):  # the first waits for the workers to start
        step(batch)
    waited, since = 0.0, time.perf_counter()
    for _ in range(steps):
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        step(batch)
    whole = time.perf_counter() - since
    return whole / steps, waited / whole


if __name__ == "__main__":
    main()
