"""Real Lightning trainings in two processes: steps, sums and scores are those of one process on the same pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest
import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader

from s2s_lit.data.batching.batchers import Batcher, FixedSize
from s2s_lit.data.batching.collate import collate, collate_window
from s2s_lit.data.batching.windows import TimeStepWindows
from s2s_lit.losses.penalty import Penalty
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.normalization import BatchNorm
from s2s_lit.nn.recurrent import LSTM
from s2s_lit.optim.averaging import ExponentialAveraging
from s2s_lit.processes import rank
from s2s_lit.tasks.optimization import OptimizerFactory
from s2s_lit.training.launch import for_processes, leaves_out
from s2s_lit.types import EOS, Batch, Example
from support.networks import idle_batch, random_batch
from support.parts import concrete_subclasses
from support.processes import run
from support.tasks import PLAIN, attentive_model, fields_of, task_of

from .conftest import make_task

PENALTIES = concrete_subclasses(Penalty, "s2s_lit.losses")
TEXTS = {"source": "", "target": ""}
FIELDS = fields_of([])
EXAMPLES = [  # of very different lengths
    Example({"source": [5 + i % 7] * s + [EOS]}, [6 + (i + k) % 11 for k in range(t)], TEXTS, ("",), i)
    for i, (s, t) in enumerate([(1, 1), (30, 25), (2, 3), (4, 1), (9, 14), (17, 2), (3, 40), (6, 6)])
]
A, B, C, D = (collate(EXAMPLES[start:end], FIELDS) for start, end in ((0, 2), (2, 5), (5, 6), (6, 8)))
IDLE = idle_batch()
WHOLE = FixedSize(size=4)
LOGGED = ("train/loss", "train/gradient_norm", "train/activation", "train/learning_rate")


def trainer(*, unused: bool = False, **settings: Any) -> Trainer:
    given = {"strategy": "auto", "devices": 1, "accelerator": "cpu"}
    return Trainer(
        **for_processes(given, unused=unused), **settings, max_epochs=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False,
    )  # fmt: skip


def loader(batches: Sequence[Batch]) -> Any:
    return DataLoader(cast(Any, list(batches)), batch_size=None, collate_fn=lambda batch: batch)


def train(
    shares: list[list[Batch]],
    accumulate: int = 1,
    normalized: bool = False,
    batcher: Batcher = WHOLE,
    optimizer: OptimizerFactory = PLAIN,
    attends: bool = True,
) -> dict[str, Any]:
    """Weights, buffers and logged values after training in float64 on this rank's share."""
    torch.manual_seed(0)
    model = attentive_model(23, 6)
    if normalized:
        sized = partial(LSTM, hidden_size=6)
        model.encoder = RecurrentEncoder(
            6, recurrence=sized, input_normalization=BatchNorm, output_normalization=BatchNorm
        )
    if not attends:
        model.decoder = RecurrentDecoder(6, model.encoder, recurrence=partial(LSTM, hidden_size=6), feature_size=6)
    penalties = [kind() for kind in PENALTIES if attends or kind.name != "coverage"]
    settings = {"penalties": penalties, "averaging": partial(ExponentialAveraging, decay=0.5)}
    task = task_of(model.double(), optimizer, **settings)
    torch.manual_seed(rank())
    fit = trainer(unused=leaves_out(model, batcher), accumulate_grad_batches=accumulate)
    fit.fit(task, loader(shares[rank()]))
    logged = {name: float(fit.callback_metrics[name]) for name in LOGGED}
    state = {f"mean {name}": value for name, value in task._averaged._averaging.mean().items()}
    return {**state, **task.state_dict(), **logged}


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(
            value, other[name], rtol=0, atol=1e-12, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.parametrize(
    ("shares", "together", "accumulate"),
    [
        ([[A, C], [B, D]], [A, B, C, D], 1),
        ([[A, C], [B, D]], [A, B, C, D], 2),
        ([[A, C], [B, IDLE]], [A, B, C], 1),
        ([[IDLE, C], [A, IDLE]], [A, C], 2),
    ],
    ids=["two steps", "accumulated", "an idle rank", "idle ranks, accumulated"],
)
def test_a_step_of_two_processes_is_that_of_one(
    shares: list[list[Batch]], together: list[Batch], accumulate: int
) -> None:
    first, second = run(train, shares, accumulate)
    assert_same(first, second)
    assert_same(first, train([together], min(2 * accumulate, len(together))))


@pytest.mark.parametrize("shares", [[[A, C], [B, D]], [[A, C], [B, IDLE]]], ids=["both", "an idle rank"])
def test_batch_normalization_sees_the_batches_of_all(shares: list[list[Batch]]) -> None:
    """One process has them as one batch; the positions that are normalized are the same."""
    first, second = run(train, shares, 1, True)
    assert_same(first, second)
    rest = collate(EXAMPLES[5:8], FIELDS) if shares[1][1] is D else C
    assert_same(first, train([[collate(EXAMPLES[:5], FIELDS), rest]], 1, True))


@pytest.mark.parametrize(
    ("size", "optimizer"), [(11, PLAIN), (25, partial(torch.optim.Adam, lr=0.1))], ids=["an idle rank", "Adam"]
)
def test_windows_of_two_processes_are_those_of_one(size: int, optimizer: OptimizerFactory) -> None:
    """Those that continue sentences leave the bridge out together: Adam would move it by a gradient of zero, too."""
    batcher = TimeStepWindows(batcher=FixedSize(size=4), size=size)
    shares = [[collate_window(window, FIELDS) for window in batcher.windows(EXAMPLES[i : i + 4])] for i in (0, 4)]
    shares[0] += [IDLE] * (len(shares[1]) - len(shares[0]))
    together = [collate_window(window, FIELDS) for window in batcher.windows(EXAMPLES)]
    first, second = run(train, shares, 1, False, batcher, optimizer)
    assert_same(first, second)
    assert_same(first, train([together], 1, False, batcher, optimizer))


def test_what_is_idle_without_an_attention_holds_nobody_up() -> None:
    first, second = run(train, [[A, C], [B, IDLE]], 1, True, WHOLE, PLAIN, False)
    assert_same(first, second)


def scores(shares: list[list[Batch]]) -> dict[str, float]:
    task = make_task()
    results = trainer().validate(task, loader(shares[rank()]), verbose=False)
    return dict(results[0])


def test_scores_of_two_processes_are_those_of_one() -> None:
    batches = [random_batch(seed) for seed in range(3)]
    batches = [replace(batch, rows=tuple(range(len(batch)))) for batch in batches]
    first, second = run(scores, [batches[::2], [batches[1], IDLE]])
    assert first == second
    alone = scores([batches])
    assert alone.keys() == first.keys()
    assert first == pytest.approx(alone, rel=1e-12)
    assert alone["val/loss"] > 0
