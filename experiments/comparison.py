"""The main comparison: what gating, direction and attention each bring, over seeds.

    .venv/bin/python experiments/comparison.py train                  # 54 runs of about three minutes, two at a time
    .venv/bin/python experiments/comparison.py train --dataset multi30k --data_dir FOLDER     # 6 runs

Every run is one `s2s train` process with one thread, in the ordinary store, under the experiment name
`compare-RECURRENCE-ATTENTION`; it is scored on the test split and, where the corpus has one, on test_long. What is
finished is not run again, so that the same command goes on after a stop.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

from tqdm import tqdm

from s2s_lit.tracking.store import list_runs

ATTENTIONS = {"none": None, "additive": "AdditiveAttention", "general": "GeneralAttention"}
SMALL = {
    "data.codec.vocab_size": 1000,
    "data.batcher.size": 32,
    "model.embedding_size": 128,
    "model.encoder.recurrence.hidden_size": 128,
    "model.decoder.recurrence.hidden_size": 128,
    "model.decoder.feature_size": 128,
    "task.optimizer.lr": 0.003,
    "trainer.max_steps": 1400,
}
"""The reduced budget on the built-in corpus."""
MEDIUM = {"data.codec.vocab_size": 4000, "model.decoder.recurrence.hidden_size": 256, "trainer.max_epochs": 4}
"""The reduced budget on Multi30k."""


@dataclass(frozen=True)
class Cell:
    """One run of the comparison."""

    base: str  # the experiment that states recurrence and direction
    attention: str
    seed: int
    dataset: str

    @property
    def experiment(self) -> str:
        return f"compare-{self.base}-{self.attention}"

    def command(self, data_dir: str | None) -> list[str]:
        budget = SMALL if self.dataset == "builtin" else MEDIUM
        given = ["--data_dir", data_dir] if data_dir else []
        attention = {"model.decoder.attention": name} if (name := ATTENTIONS[self.attention]) else {}
        settings = {"experiment": self.experiment, "seed": self.seed, **attention, **budget}
        words = [f"--{key}={value}" for key, value in settings.items()]
        return ["train", self.base, "--dataset", self.dataset, *given, *words]


def cells(dataset: str) -> list[Cell]:
    """Seed by seed, so that a comparison that was stopped early is one of fewer seeds."""
    if dataset == "builtin":
        grid = product((1, 2, 3), ("rnn", "gru", "lstm", "birnn", "bigru", "bilstm"), ATTENTIONS)
    else:
        grid = product((1,), ("birnn", "bigru", "bilstm"), ("none", "additive"))
    return [Cell(base, attention, seed, dataset) for seed, base, attention in grid]


def finished(dataset: str) -> Iterator[tuple[str, int]]:
    """Experiment and seed of the runs that need not be run again."""
    runs = [run for run in list_runs() if run.status == "FINISHED" and run.dataset == dataset]
    long = {run.tags.get("mlflow.parentRunId") for run in runs if "test_long/bleu" in run.metrics}
    for run in runs:
        if (
            run.kind == "train"
            and run.experiment.startswith("compare-")
            and (dataset != "builtin" or run.run_id in long)
        ):
            yield run.experiment, int(run.params["seed"])


def run(cell: Cell, data_dir: str | None) -> str:
    """Trains and scores one cell; an empty text, or what went wrong."""
    trained = s2s(cell.command(data_dir))
    found = re.search(r"\((\w{32})\)", trained.stdout)
    if trained.returncode == 0 and found and cell.dataset == "builtin":
        trained = s2s(["evaluate", found[1], "--split", "test_long"])
    return "" if trained.returncode == 0 else f"{cell.experiment}, seed {cell.seed}: {trained.stderr.strip()[-500:]}"


def s2s(words: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "s2s_lit", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def train(arguments: argparse.Namespace) -> None:
    done = set(finished(arguments.dataset))
    todo = [cell for cell in cells(arguments.dataset) if (cell.experiment, cell.seed) not in done]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = pool.map(lambda cell: run(cell, arguments.data_dir), todo)
        for failure in tqdm(outcomes, "comparison", total=len(todo), unit=" runs"):
            if failure:
                print(failure, file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    training = verbs.add_parser("train", help="run what is missing")
    training.add_argument("--dataset", default="builtin", choices=["builtin", "multi30k"])
    training.add_argument("--data_dir", help="folder of a local copy of Multi30k")
    training.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    training.set_defaults(run=train)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
