"""How fast s2s_lit trains and searches beside OpenNMT-py 3.5.1: one network, the same batches, in turns.

OpenNMT-py needs an environment of its own, which is made once (it asks for an older torch than it runs with):

    python3 -m venv ../opennmt
    ../opennmt/bin/pip install torch==2.13.0
    ../opennmt/bin/pip install --no-deps OpenNMT-py==3.5.1
    ../opennmt/bin/pip install configargparse ctranslate2 fasttext-wheel flask pyahocorasick pyonmttok pyyaml \
        rapidfuzz sacrebleu six spacy tensorboard waitress
    .venv/bin/python benchmarks/opennmt.py ../opennmt/bin/python --data_dir ../shared/data/multi30k

The network is that of the experiment `opennmt` on Multi30k. What is timed of a training step is the forward pass, loss,
backward pass, clipping and Adam's update, in OpenNMT-py by its own trainer; batches are made beforehand. OpenNMT-py has
no bfloat16 on a CPU. In a search with a beam of 5 the weights are untrained, so both are kept from ending before the
mean length of the batch's references, and end there. Rates count real target tokens. Both have one thread and what
counts is the processor's time, which other work on the machine disturbs least; of all turns the best counts.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from speed import NeverEnding, autocast, training_step

from s2s_lit.config.build import Experiment
from s2s_lit.config.compose import compose
from s2s_lit.decoding.beam import BeamSearch
from s2s_lit.tasks.base import Task
from s2s_lit.training.allocator import keep_freed_memory
from s2s_lit.types import Batch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", type=Path, help="the Python that has OpenNMT-py")
    parser.add_argument("--data_dir")
    parser.add_argument("--batches", type=int, default=2, help="training batches of a turn")
    parser.add_argument("--search_batches", type=int, default=1, help="test batches of a turn")
    parser.add_argument("--rounds", type=int, default=8)
    arguments, overrides = parser.parse_known_args()
    if arguments.data_dir:
        overrides.append(f"--data.corpus.data_dir={arguments.data_dir}")
    torch.set_num_threads(1)
    keep_freed_memory()
    experiment = Experiment(compose("opennmt", "multi30k", overrides, Path("experiments")))
    experiment.data.setup("fit")
    task = experiment.make_task()
    training = list(islice(experiment.data.train_dataloader(), arguments.batches))
    test = list(islice(experiment.data.test_dataloader(), arguments.search_batches))

    with Peer(arguments.python, experiment.data.fields.target.size, training, test) as peer:
        float32, bfloat16 = training_step(task), training_step(task, torch.bfloat16)
        kinds: dict[str, Callable[[], float]] = {
            "training, OpenNMT-py": lambda: peer.seconds("train"),
            "training, s2s_lit": lambda: seconds(lambda: train(task, float32, training)),
            "training, s2s_lit in bfloat16": lambda: seconds(lambda: train(task, bfloat16, training)),
            "search, OpenNMT-py": lambda: peer.seconds("search"),
            "search, s2s_lit": lambda: seconds(lambda: search(task, test)),
            "search, s2s_lit in bfloat16": lambda: seconds(lambda: search(task, test, torch.bfloat16)),
        }
        best = dict.fromkeys(kinds, torch.inf)
        for _ in range(arguments.rounds):
            best = {kind: min(best[kind], measure()) for kind, measure in kinds.items()}
        print(f"parameters: {sum(p.numel() for p in task.parameters()):,}, of OpenNMT-py {peer.parameters:,}")
    work = {"training": sum(int(batch.target.lengths.sum()) for batch in training), "search": sum(map(len, test))}
    report(best, work)


class Peer:
    """OpenNMT-py in a process of its own."""

    def __init__(self, python: Path, vocab_size: int, training: list[Batch], test: list[Batch]) -> None:
        given = {
            "vocab_size": vocab_size,
            "train": [self._batch(batch) for batch in training],
            "search": [{**self._batch(batch), "length": mean_length(batch)} for batch in test],
        }
        with tempfile.NamedTemporaryFile() as file:
            torch.save(given, file.name)
            command = [python, Path(__file__).with_name("opennmt_peer.py"), file.name]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.parameters = int(self._answer())

    @staticmethod
    def _batch(batch: Batch) -> dict[str, Any]:
        """As OpenNMT-py has it: an axis of features, and the target with BOS and EOS in one."""
        targets = torch.cat([batch.target.inputs[:, :1], batch.target.ids], dim=1)
        return {
            "src": batch.inputs["source"].values.unsqueeze(-1),
            "srclen": batch.inputs["source"].lengths,
            "tgt": targets.unsqueeze(-1),
        }

    def seconds(self, kind: str) -> float:
        assert self._process.stdin
        print(kind, file=self._process.stdin, flush=True)
        return float(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline() or exit("OpenNMT-py's process has ended, see above")

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # it ends with its input


def seconds(work: Callable[[], object]) -> float:
    """Of the processor."""
    since = time.process_time()
    work()
    return time.process_time() - since


def train(task: Task, step: Callable[[Batch], None], batches: list[Batch]) -> None:
    task.train()
    for batch in batches:
        step(batch)


@torch.inference_mode()
def search(task: Task, batches: list[Batch], dtype: torch.dtype = torch.float32) -> None:
    task.eval()
    for batch in batches:
        beam = BeamSearch(beam_size=5, max_length_ratio=0, max_length_offset=mean_length(batch))
        with autocast(dtype):
            beam(NeverEnding(task.model), batch.inputs)


def mean_length(batch: Batch) -> int:
    return round(float(batch.target.lengths.float().mean()))


def report(best: dict[str, float], work: dict[str, int]) -> None:
    table = Table()
    for column in ("turn", "a second", "of OpenNMT-py"):
        table.add_column(column, justify="left" if column == "turn" else "right")
    for kind, least in best.items():
        what = kind.partition(",")[0]
        table.add_row(kind, f"{work[what] / least:,.0f}", f"{best[f'{what}, OpenNMT-py'] / least:.2f}")
    print(f"training in target tokens, search in sentences; torch {torch.__version__}")
    Console().print(table)


if __name__ == "__main__":
    main()
