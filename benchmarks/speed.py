"""How fast an experiment trains and searches on this machine, and what share of the machine that uses.

    make benchmark EXP=bilstm_attn [DATA=builtin] [DATA_DIR=folder] [ARGS="--model.encoder.recurrence GRU"]

Everything is measured in one run, in turns, and the best of the turns counts: absolute times on shared machines are
noise. Printed are the target tokens per second of a whole optimizer step (forward, backward, clipping, update), the
sentences per second of the experiment's search (beam 5) with untrained weights and outputs as long as the references,
and the floating-point rate of the step as a share of the machine's measured rate of square matrix products.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from s2s_lit.config.build import Experiment
from s2s_lit.config.compose import compose
from s2s_lit.decoding.step import StepModel
from s2s_lit.tasks.base import Task
from s2s_lit.training.allocator import keep_freed_memory
from s2s_lit.types import EOS, Batch, DecoderState, Encoded

ROUNDS = 5
MATRIX = 1536


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment")
    parser.add_argument("--dataset", default="builtin")
    parser.add_argument("--data_dir")
    parser.add_argument("--batches", type=int, default=20, help="batches of a round")
    arguments, overrides = parser.parse_known_args()
    if arguments.data_dir:
        overrides.append(f"--data.corpus.data_dir={arguments.data_dir}")
    keep_freed_memory()
    experiment = Experiment(compose(arguments.experiment, arguments.dataset, overrides, Path("experiments")))
    experiment.data.setup("fit")
    task = experiment.make_task()
    batches = list(islice(experiment.data.train_dataloader(), arguments.batches))

    step = training_step(task)
    flops = count_flops(step, batches)
    rates = {"matrix product": 0.0, "training": 0.0, "search": 0.0}
    tokens = sum(int(batch.target.lengths.sum()) for batch in batches)
    sentences = sum(len(batch) for batch in batches[:4])
    for _ in range(ROUNDS):
        rates["matrix product"] = max(rates["matrix product"], 2 * MATRIX**3 / seconds(matrix_product))
        task.train()
        rates["training"] = max(rates["training"], tokens / seconds(lambda: [step(batch) for batch in batches]))
        task.eval()
        rates["search"] = max(rates["search"], sentences / seconds(lambda: [search(task, b) for b in batches[:4]]))
    share = flops / tokens * rates["training"] / rates["matrix product"]
    report(arguments, task, rates, flops / tokens, share)


def training_step(task: Task, dtype: torch.dtype = torch.float32) -> Callable[[Batch], None]:
    """One optimizer step as the trainer takes it, without the trainer; another dtype is that of autocast."""
    optimizer = task.make_optimizer(task.parameters())

    def step(batch: Batch) -> None:
        with autocast(dtype):
            result = task.loss(task.model(batch.inputs, batch.target), batch)
        (result.objective / result.count).backward()
        nn.utils.clip_grad_norm_(task.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step


def autocast(dtype: torch.dtype) -> torch.autocast:
    return torch.autocast("cpu", dtype, enabled=dtype != torch.float32)


class NeverEnding:
    """A network that never predicts EOS: an untrained one would end anywhere."""

    def __init__(self, model: StepModel) -> None:
        self.start, self._step = model.start, model.step

    def step(self, tokens: Tensor, encoded: Encoded, state: DecoderState) -> tuple[Tensor, Tensor | None, DecoderState]:
        log_probs, weights, state = self._step(tokens, encoded, state)
        return log_probs.index_fill(1, torch.tensor([EOS]), -torch.inf), weights, state


def search(task: Task, batch: Batch) -> None:
    """The experiment's search; each output runs to its cap, which on average is the reference's length."""
    ratio = float(batch.target.lengths.float().mean() / batch.inputs["source"].lengths.float().mean())
    task.search.max_length_ratio, task.search.max_length_offset = ratio, 0
    with torch.inference_mode():
        task.search(NeverEnding(task.model), batch.inputs)


def count_flops(step: Callable[[Batch], None], batches: list[Batch]) -> int:
    """Floating-point operations of the matrix products of these steps; oneDNN's fused layers hide theirs."""
    with torch.backends.mkldnn.flags(enabled=False), FlopCounterMode(display=False) as counter:
        for batch in batches:
            step(batch)
    return counter.get_total_flops()


LEFT, RIGHT = torch.randn(2, MATRIX, MATRIX)


def matrix_product() -> None:
    torch.mm(LEFT, RIGHT)


def seconds(work: Callable[[], object]) -> float:
    since = time.perf_counter()
    work()
    return time.perf_counter() - since


def report(arguments: argparse.Namespace, task: Task, rates: dict[str, float], flops: float, share: float) -> None:
    print(f"{arguments.experiment} on {arguments.dataset}, best of {ROUNDS} rounds")
    table = Table()
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in rows(task, rates, flops, share):
        table.add_row(name, value)
    Console().print(table)


def rows(task: Task, rates: dict[str, float], flops: float, share: float) -> Iterator[tuple[str, str]]:
    yield "parameters", f"{sum(p.numel() for p in task.parameters()):,}"
    yield "torch, threads", f"{torch.__version__}, {torch.get_num_threads()}"
    yield "training, target tokens/s", f"{rates['training']:,.0f}"
    yield "search, sentences/s", f"{rates['search']:,.1f}"
    yield "training, MFLOP per target token", f"{flops / 1e6:.1f}"
    yield "matrix product, GFLOP/s (float32)", f"{rates['matrix product'] / 1e9:.0f}"
    yield "training, share of the matrix-product rate", f"{share:.0%}"


if __name__ == "__main__":
    main()
