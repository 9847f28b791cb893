"""What a training step needs, measured on the CPU."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch

from s2s_lit.data.batching.memory_fit import MemoryFit
from s2s_lit.tasks.memory import StepMemory
from s2s_lit.tasks.translation import TranslationTask
from support.tasks import attentive_model, task_of

CPU = torch.device("cpu")


@pytest.fixture
def task() -> TranslationTask:
    return task_of(attentive_model(500, 32, dropout=0.3), partial(torch.optim.AdamW, lr=0.1))


def memory(task: TranslationTask, length: int = 30) -> StepMemory:
    return StepMemory(task, CPU, positions={"source": length, "target": length})


def test_measuring_is_repeatable_and_leaves_no_trace(task: TranslationTask) -> None:
    weights, state = copy.deepcopy(task.state_dict()), torch.get_rng_state()
    first = [memory(task).needed(sentences) for sentences in (1, 4)]
    assert first == [memory(task).needed(sentences) for sentences in (1, 4)]
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, weights[name]) for name, value in task.state_dict().items())
    assert all(parameter.grad is None for parameter in task.parameters())


def test_gradients_and_the_optimizers_state_count(task: TranslationTask) -> None:
    weights = 4 * sum(parameter.numel() for parameter in task.parameters())
    assert memory(task, length=1).needed(1) > 3 * weights  # AdamW: the gradient and two moments


def test_what_is_needed_grows_with_sentences_and_with_the_square_of_their_length(task: TranslationTask) -> None:
    eight, sixteen = memory(task).needed(8), memory(task).needed(16)
    logits = 8 * 30 * 500 * 4
    energies = 8 * 30 * 30 * 32 * 4
    assert 2 * (logits + energies) < sixteen - eight < 12 * (logits + energies)
    longer = memory(task, length=60)
    assert longer.needed(16) - longer.needed(8) > 2.5 * (sixteen - eight)


@pytest.mark.parametrize("length", [2, 7, 30])
def test_batches_of_any_lengths_stay_within_the_memory(task: TranslationTask, length: int) -> None:
    chosen = MemoryFit(memory_gb=0.05, share=1.0).fit(memory(task))
    needed = memory(task, length).needed(chosen["max_tokens"] // length)
    assert needed <= 0.05e9
    assert length < 30 or needed > 0.85 * 0.05e9


def test_what_is_free_is_a_part_of_the_machine(task: TranslationTask) -> None:
    assert 0 < memory(task).free < 1e15
