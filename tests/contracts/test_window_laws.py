"""What windows of time steps change, for every part of a network: gradients only.

That each decoder goes on from any attention's state as if there were no window stands in test_model_laws.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import torch

from s2s_lit.data.batching.batchers import FixedSize
from s2s_lit.data.batching.collate import collate, collate_window
from s2s_lit.data.batching.windows import TimeStepWindows
from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.tasks.translation import TranslationTask
from s2s_lit.types import EOS, Batch, Example
from support.networks import covering
from support.tasks import fields_of, task_of

NETWORKS = dict(covering())
FIRST, LAST = 20, 21  # tokens that only the first and only the last window is given
SIZE = 3
FIELDS = fields_of(["a"])
EXAMPLES = [
    Example({"source": [7, 8, 9, 10, 11, 12, EOS]}, [FIRST, 8, 9], {}),
    Example({"source": [9, EOS]}, [FIRST], {}),
    Example({"source": [5, 6, 7, EOS]}, [FIRST, 9, 8, 7, 6, 5, LAST, 10], {}),
    Example({"source": [6, 6, 9, 9, EOS]}, [FIRST, 5, 5, 5, 5], {}),
]


@pytest.fixture(params=NETWORKS, scope="module")
def make(request: pytest.FixtureRequest) -> partial[Seq2Seq]:
    return NETWORKS[request.param]


@pytest.fixture
def task(make: partial[Seq2Seq]) -> TranslationTask:
    torch.manual_seed(0)
    return task_of(make().double().train())  # dropout is zero


def windows(size: int = SIZE) -> Iterator[Batch]:
    batcher = TimeStepWindows(batcher=FixedSize(size=4), size=size)
    return (collate_window(window, FIELDS) for window in batcher.windows(EXAMPLES))


def test_the_losses_of_all_windows_sum_to_that_of_the_whole(task: TranslationTask) -> None:
    whole = task.training_step(collate(EXAMPLES, FIELDS), 0)
    parts = [task.training_step(batch, 0) for batch in windows()]
    assert len(parts) == 3
    torch.testing.assert_close(sum(parts), whole, rtol=1e-10, atol=0)


def test_a_window_as_long_as_the_targets_is_the_whole(task: TranslationTask) -> None:
    (window,) = windows(size=9)
    assert torch.equal(task.training_step(window, 0), task.training_step(collate(EXAMPLES, FIELDS), 0))


def test_the_gradient_reaches_to_the_start_of_the_window_and_to_the_encoder(task: TranslationTask) -> None:
    table = task.model.target_embedding.table.weight
    for number, batch in enumerate(windows()):
        task.zero_grad()
        task.training_step(batch, 0).backward()
        assert table.grad is not None
        source_gradient = task.model.source_embedding.table.weight.grad
        assert source_gradient is not None
        assert source_gradient.abs().sum() > 0
        seen = [bool(table.grad[token].abs().sum() > 0) for token in (FIRST, LAST)]
        assert seen == [number == 0, number == 2]
    task.zero_grad()
    task.training_step(collate([EXAMPLES[2]], FIELDS), 0).backward()
    assert table.grad[FIRST].abs().sum() > 0


def test_what_is_carried_is_a_constant_and_ends_with_the_sentences(task: TranslationTask) -> None:
    for number, batch in enumerate(windows()):
        task.training_step(batch, 0)
        if number == 2:
            assert task._carried is None
        else:
            assert task._carried is not None
            assert not any(tensor.requires_grad for tensor in task._carried.values())


def test_a_continuation_of_nothing_is_refused(task: TranslationTask) -> None:
    _, second, _ = windows()
    with pytest.raises(RuntimeError, match="has not seen"):
        task.training_step(second, 0)
