"""What a process without a pair adds to the others' step: nothing, but a gradient for every parameter."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import pytest
import torch

from s2s_lit.losses.penalty import Penalty
from s2s_lit.losses.token import TokenNLL
from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.nn.attention.general import GeneralAttention
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.normalization import Normalization
from s2s_lit.tasks.translation import TranslationTask
from s2s_lit.types import Batch
from support.networks import EMBEDDING, FEATURE, VOCAB, combinations, idle_batch, random_batch
from support.parts import concrete_subclasses
from support.tasks import task_of

NETWORKS = dict(combinations())
PENALTIES = concrete_subclasses(Penalty, "s2s_lit.losses")
NORMALIZATIONS = concrete_subclasses(Normalization, "s2s_lit.nn")


def task_around(model: Seq2Seq) -> TranslationTask:
    """Trained with every penalty that the model admits, and a smoothed loss."""
    attends = model.decoder.attention is not None
    penalties = [kind() for kind in PENALTIES if attends or kind.name != "coverage"]
    task = task_of(model, penalties=penalties)
    task.loss = TokenNLL(label_smoothing=0.1)
    return task.train()


def assert_nothing(task: TranslationTask, batch: Batch) -> None:
    before = {name: buffer.clone() for name, buffer in task.named_buffers()}
    objective = task.training_step(batch, 0)
    objective.backward()
    assert objective == 0
    for name, parameter in task.named_parameters():
        assert parameter.grad is not None, name
        assert (parameter.grad == 0).all(), name
    assert task._seen.count == 0
    assert all(value == 0 for value in task._seen._sums.values())
    for name, buffer in task.named_buffers():
        assert torch.equal(buffer, before[name]), name


@pytest.mark.parametrize("name", NETWORKS)
def test_it_adds_nothing_and_reaches_every_parameter(name: str) -> None:
    torch.manual_seed(0)
    assert_nothing(task_around(NETWORKS[name]()), idle_batch())


@pytest.mark.parametrize("kind", NORMALIZATIONS, ids=lambda cls: cls.__name__)
def test_no_normalization_counts_it(kind: type[Normalization]) -> None:
    encoder = partial(RecurrentEncoder, input_normalization=kind, output_normalization=kind)
    decoder = partial(RecurrentDecoder, attention=GeneralAttention, feature_size=FEATURE)
    model = Seq2Seq({"source": VOCAB, "target": VOCAB}, embedding_size=EMBEDDING, encoder=encoder, decoder=decoder)
    assert_nothing(task_around(model), idle_batch())


def test_only_it_is_idle() -> None:
    assert idle_batch().is_idle
    assert idle_batch().to("cpu").is_idle
    assert not random_batch().is_idle


def test_it_is_not_evaluated() -> None:
    task = task_around(NETWORKS["RecurrentDecoder-none"]()).eval()
    task.search = task.validation_search = cast(Any, None)
    for step in (task.validation_step, task.test_step):
        assert step(idle_batch(), 0) == {"predictions": []}
    assert (task.likelihood.counts == 0).all()


def test_a_window_goes_on_after_it() -> None:
    task = task_around(NETWORKS["RecurrentDecoder-none"]())
    carried = {"hidden": torch.ones(2, 2, 8)}
    task._carried = carried  # type: ignore[assignment]
    task.training_step(idle_batch(), 0)
    assert task._carried is carried
