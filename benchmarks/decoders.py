"""How fast each decoder trains with each attention on this machine, at the sizes of a common reference network.

    .venv/bin/python benchmarks/decoders.py [--rounds 5] [--only InputFeeding-General]

8,000 tokens, embedding 256, a bidirectional LSTM of 256 units a direction, a decoder of 512 units with features of 512,
batches of 64 random sentences of 11 to 16 tokens. All are measured in turns within one run and the best turn counts;
`called` is
input feeding whose LSTM is called anew at each position, as torch has it, to show what unrolling its products brings.
Printed are target tokens per second of an optimizer step, and the share of the machine's rate of matrix products.
"""

from __future__ import annotations

import argparse
import inspect
import time
from collections.abc import Callable
from functools import partial
from unittest import mock

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from s2s_lit.config.catalogue import shelf
from s2s_lit.losses.token import TokenNLL
from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.nn import unrolled
from s2s_lit.nn.attention.base import Attention
from s2s_lit.nn.decoders import input_feeding
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.recurrent import LSTM
from s2s_lit.types import BOS, Batch, Inputs, Sequences, Target

VOCAB, EMBEDDING, READ, WRITTEN, SENTENCES = 8000, 256, 256, 512, 64
MATRIX = 1536


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="of the networks, those with this in their name")
    parser.add_argument("--bfloat16", action="store_true", help="under autocast")
    arguments = parser.parse_args()
    batch = random_batch()
    steps = chosen_steps(arguments.only, batch, arguments.bfloat16)
    flops = {name: count_flops(step) for name, step in steps.items()}
    best = dict.fromkeys(steps, float("inf"))
    product = float("inf")
    for _ in range(arguments.rounds):
        product = min(product, seconds(lambda: torch.mm(LEFT, RIGHT)))
        best = {name: min(best[name], seconds(step)) for name, step in steps.items()}
    rate = 2 * MATRIX**3 / product
    table = Table("decoder, attention", "target tokens/s", "MFLOP a token", f"share of {rate / 1e9:.0f} GFLOP/s")
    tokens = int(batch.target.lengths.sum())
    for name, time_taken in sorted(best.items(), key=lambda item: item[1]):
        share = flops[name] / time_taken / rate
        table.add_row(name, f"{tokens / time_taken:,.0f}", f"{flops[name] / tokens / 1e6:.1f}", f"{share:.0%}")
    Console().print(table)


def chosen_steps(only: str, batch: Batch, bfloat16: bool) -> dict[str, Callable[[], None]]:
    """An optimizer step of each network with `only` in its name, by name."""
    steps: dict[str, Callable[[], None]] = {}
    for decoder in shelf()["decoder"]:
        for attention in [None, *shelf()["attention"]]:
            name = f"{short(decoder)}-{short(attention) if attention else 'none'}"
            if only in name:
                steps[name] = training_step(network(decoder, attention), batch, bfloat16)
    if "InputFeeding-General" in steps:
        steps["InputFeeding-General, called"] = called(steps["InputFeeding-General"])
    return steps


def short(part: type) -> str:
    return part.__name__.removesuffix("Decoder").removesuffix("Attention")


def network(decoder: type, attention: type[Attention] | None) -> Seq2Seq:
    torch.manual_seed(0)
    own = {"recurrence": partial(LSTM, hidden_size=WRITTEN)}
    if "recurrence" not in inspect.signature(decoder).parameters:
        own = {"hidden_size": WRITTEN}
    return Seq2Seq(
        {"source": VOCAB, "target": VOCAB},
        embedding_size=EMBEDDING,
        encoder=partial(RecurrentEncoder, recurrence=partial(LSTM, hidden_size=READ), bidirectional=True),
        decoder=partial(decoder, **own, attention=attention, feature_size=WRITTEN),
    )


def training_step(model: Seq2Seq, batch: Batch, bfloat16: bool) -> Callable[[], None]:
    optimizer, loss = torch.optim.SGD(model.parameters(), lr=1e-3), TokenNLL()

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            result = loss(model(batch.inputs, batch.target), batch)
        (result.objective / result.count).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def called(step: Callable[[], None]) -> Callable[[], None]:
    """The same step without what `unrolled` does for torch's layers."""

    def slow() -> None:
        with mock.patch.object(input_feeding, "unroll", unrolled._Calls):
            step()

    return slow


def random_batch() -> Batch:
    generator = torch.Generator().manual_seed(1)
    source_lengths = torch.randint(11, 16, (SENTENCES,), generator=generator)
    target_lengths = torch.randint(12, 17, (SENTENCES,), generator=generator)

    def ids(lengths: Tensor) -> Tensor:
        return torch.randint(4, VOCAB, (SENTENCES, int(lengths.max())), generator=generator)

    targets = ids(target_lengths)
    inputs = torch.cat([torch.full_like(targets[:, :1], BOS), targets[:, :-1]], dim=1)
    source = Sequences(ids(source_lengths), source_lengths)
    return Batch(Inputs(SENTENCES, source=source), Target(inputs, targets, target_lengths))


LEFT, RIGHT = torch.randn(2, MATRIX, MATRIX)


def count_flops(step: Callable[[], None]) -> int:
    """Floating-point operations of the matrix products of a step; oneDNN's fused layers hide theirs."""
    with torch.backends.mkldnn.flags(enabled=False), FlopCounterMode(display=False) as counter:
        step()
    return int(counter.get_total_flops())


def seconds(work: Callable[[], object]) -> float:
    since = time.perf_counter()
    work()
    return time.perf_counter() - since


if __name__ == "__main__":
    main()
