"""Real Lightning trainings: one step over accumulated batches is one step over all of their sentences."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from s2s_lit.data.batching.batchers import FixedSize
from s2s_lit.data.batching.collate import collate, collate_window
from s2s_lit.data.batching.windows import TimeStepWindows
from s2s_lit.losses.penalty import Penalty
from s2s_lit.optim.schedules import ConstantSchedule
from s2s_lit.types import EOS, Batch, Example
from support.parts import concrete_subclasses
from support.tasks import attentive_model, fields_of, task_of

TEXTS = {"source": "", "target": ""}
FIELDS = fields_of([])
EXAMPLES = [  # of very different lengths
    Example({"source": [5 + i % 7] * s + [EOS]}, [6 + (i + k) % 11 for k in range(t)], TEXTS, ("",), i)
    for i, (s, t) in enumerate([(1, 1), (30, 25), (2, 3), (4, 0), (9, 14), (17, 2), (3, 40), (6, 6), (1, 9), (12, 1)])
]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logger.setLevel(level)


def batches(*sizes: int, order: Sequence[int] = range(len(EXAMPLES))) -> list[Batch]:
    """The examples in batches of these sizes, in this order."""
    remaining = iter([EXAMPLES[i] for i in order])
    return [collate([next(remaining) for _ in range(size)], FIELDS) for size in sizes]


def trained(
    loader: list[Batch], *, accumulate: int = 1, epochs: int = 1, totals: list[int] | None = None, **settings: Any
) -> tuple[Tensor, int]:
    """All weights after training in float64 by plain gradient descent, and the steps that were taken."""
    torch.manual_seed(0)

    def schedule(total_steps: int) -> ConstantSchedule:
        if totals is not None:
            totals.append(total_steps)
        return ConstantSchedule(total_steps)

    task = task_of(attentive_model(23, 6).double(), schedule=schedule, **settings)
    trainer = Trainer(
        accumulate_grad_batches=accumulate, max_epochs=epochs, accelerator="cpu", logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(task, train_dataloaders=DataLoader(loader, batch_size=None, collate_fn=lambda batch: batch))  # type: ignore[arg-type]
    return weights(task), trainer.global_step


def weights(module: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


def close(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


def test_an_accumulated_step_is_that_of_one_batch() -> None:
    whole, steps = trained(batches(10))
    torch.manual_seed(0)
    assert steps == 1
    assert (whole - weights(attentive_model(23, 6).double())).abs().max() > 0.01
    for sizes in ([5, 5], [1, 9], [3, 3, 3, 1], [1] * 10):
        parts, steps = trained(batches(*sizes), accumulate=len(sizes))
        assert steps == 1
        close(parts, whole)


@pytest.mark.parametrize("kind", concrete_subclasses(Penalty, "s2s_lit.losses"), ids=lambda cls: cls.__name__)
def test_a_penalty_is_accumulated_like_the_loss(kind: type[Penalty]) -> None:
    whole, _ = trained(batches(10), penalties=[kind(weight=3.0)])
    assert (whole - trained(batches(10))[0]).abs().max() > 1e-6
    for sizes in ([5, 5], [1, 9], [3, 3, 3, 1]):
        close(trained(batches(*sizes), accumulate=len(sizes), penalties=[kind(weight=3.0)])[0], whole)


def test_the_full_batch_knows_neither_order_nor_batch_size_and_steps_once_an_epoch() -> None:
    whole, steps = trained(batches(10), epochs=3)
    assert steps == 3
    for sizes, order in ([4, 4, 2], range(9, -1, -1)), ([7, 3], [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]):
        totals: list[int] = []
        parts, steps = trained(batches(*sizes, order=order), accumulate=10**6, epochs=3, totals=totals)
        assert steps == 3
        assert totals == [3]
        close(parts, whole)


def test_the_last_accumulation_of_an_epoch_may_be_shorter() -> None:
    """Three batches by two: the second step is that of the third batch alone, with its whole weight."""
    accumulated, steps = trained(batches(4, 3, 3), accumulate=2)
    assert steps == 2
    plain, _ = trained(batches(7, 3))
    close(accumulated, plain)


def test_accumulated_windows_have_one_state_and_one_step() -> None:
    """All windows of a batch in one step: the loss is that of the whole, only its gradient is cut."""
    cut = TimeStepWindows(batcher=FixedSize(size=10), size=50)
    close(trained([collate_window(window, FIELDS) for window in cut.windows(EXAMPLES)])[0], trained(batches(10))[0])
    windows = TimeStepWindows(batcher=FixedSize(size=10), size=7)
    loader = [collate_window(window, FIELDS) for window in windows.windows(EXAMPLES)]
    assert len(loader) == 6
    assert trained(loader)[1] == 6
    assert trained(loader, accumulate=6)[1] == 1
