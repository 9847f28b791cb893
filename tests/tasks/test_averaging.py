"""Averaged weights where they belong: in validation and in checkpoints, and not in training."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from s2s_lit.optim.averaging import ExponentialAveraging, LastCheckpoints, StochasticWeightAveraging, WeightAveraging
from s2s_lit.tasks.translation import TranslationTask
from support.networks import random_batch
from support.parts import concrete_subclasses
from tasks.conftest import Train, loader, make_task

AVERAGINGS = concrete_subclasses(WeightAveraging, "s2s_lit.optim")
STOPS = [(kind, "validation") for kind in AVERAGINGS] + [
    (kind, "step")  # before the validation that is due: Lightning does not make up for it
    for kind in AVERAGINGS
    if kind is not LastCheckpoints
]
NAME = "decoder.attention.query_layer.weight"


def copy_of(task: LightningModule) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in task.state_dict().items()}


class Recorder(Callback):
    """The weights after each optimizer step, those of each validation, and its loss."""

    def __init__(self) -> None:
        self._seen = 0
        self.steps: list[np.ndarray] = []
        self.validated: list[dict[str, torch.Tensor]] = []
        self.losses: list[float] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *args: Any) -> None:
        if trainer.global_step > self._seen:
            self._seen = trainer.global_step
            self.steps.append(pl_module.model.get_parameter(NAME).detach().numpy().copy())

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        if not trainer.sanity_checking:
            self.validated.append(copy_of(pl_module))

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking:
            self.losses.append(float(trainer.callback_metrics["val/loss"]))


def best(folder: Path) -> ModelCheckpoint:
    """As the program keeps its best checkpoint."""
    return ModelCheckpoint(folder, "best", monitor="val/loss", save_weights_only=True, enable_version_counter=False)


@pytest.mark.parametrize("kind", AVERAGINGS)
def test_training_goes_its_own_way(train: Train, kind: type[WeightAveraging]) -> None:
    plain, averaged = Recorder(), Recorder()
    first, second = train(plain), train(averaged, averaging=kind)
    np.testing.assert_array_equal(plain.steps, averaged.steps)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])


@pytest.mark.parametrize(
    ("averaging", "of"),
    [
        (partial(StochasticWeightAveraging, start=0.5), lambda steps: np.mean(steps[6:], axis=0)),
        (partial(LastCheckpoints, count=2), lambda steps: np.mean([steps[7], steps[11]], axis=0)),
        (partial(ExponentialAveraging, decay=0.0), lambda steps: steps[-1]),
    ],
)
def test_the_checkpoint_holds_the_mean_of_the_steps(train: Train, tmp_path: Path, averaging: Any, of: Any) -> None:
    recorder = Recorder()
    last = ModelCheckpoint(tmp_path, "last", save_weights_only=True, enable_version_counter=False)
    train(recorder, last, averaging=averaging)
    kept = torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]
    assert len(recorder.steps) == 12
    np.testing.assert_allclose(kept[f"model.{NAME}"].numpy(), of(recorder.steps), rtol=1e-5, atol=1e-7)
    validated = recorder.validated[-1]
    assert kept.keys() == validated.keys()
    assert all(torch.equal(kept[name], validated[name]) for name in kept)


@pytest.mark.parametrize("kind", AVERAGINGS)
def test_the_best_checkpoint_scores_as_it_did(train: Train, tmp_path: Path, kind: type[WeightAveraging]) -> None:
    recorder = Recorder()
    train(recorder, best(tmp_path), averaging=kind)
    task = make_task()
    task.load_state_dict(torch.load(tmp_path / "best.ckpt", weights_only=True)["state_dict"])
    assert loss_of(task) == pytest.approx(min(recorder.losses), rel=1e-6)


@pytest.mark.parametrize("kind", AVERAGINGS)
def test_a_loaded_checkpoint_is_tested_as_it_is(train: Train, tmp_path: Path, kind: type[WeightAveraging]) -> None:
    """Not with the mean that the training before it ended with."""
    recorder = Recorder()
    first = ModelCheckpoint(tmp_path, "{epoch}", save_top_k=-1, save_weights_only=True)
    task = train(recorder, first, averaging=kind)
    assert recorder.losses[0] != recorder.losses[-1]
    tester = Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
    (scores,) = tester.test(task, loader([9]), ckpt_path=tmp_path / "epoch=0.ckpt", verbose=False, weights_only=True)
    assert scores["test/loss"] == pytest.approx(recorder.losses[0], rel=1e-6)


def loss_of(task: TranslationTask) -> float:
    batch = random_batch(9)
    with torch.no_grad():
        result = task.loss(task.eval().model(batch.inputs, batch.target), batch)
    return float(result.nll) / result.count


def test_accumulated_batches_are_one_step(train: Train) -> None:
    counted = []

    class Counting(ExponentialAveraging):
        def after_step(self, weights: dict[str, torch.Tensor]) -> None:
            counted.append(1)

    train(averaging=Counting, accumulate=4)
    assert len(counted) == 3


@pytest.mark.parametrize(("kind", "when"), STOPS)
def test_a_resumed_training_is_as_an_uninterrupted_one(
    train: Train, tmp_path: Path, kind: type[WeightAveraging], when: str
) -> None:
    saves: dict[str, Any] = {
        "validation": {"every_n_epochs": 1, "save_on_train_epoch_end": False},
        "step": {"every_n_train_steps": 4},
    }
    optimizer = partial(torch.optim.Adam, lr=0.1)
    whole, resumed = Recorder(), Recorder()
    keep = ModelCheckpoint(tmp_path, "{step}", save_top_k=-1, **saves[when])
    train(whole, keep, averaging=kind, optimizer=optimizer)
    train(resumed, averaging=kind, optimizer=optimizer, resume=tmp_path / "step=8.ckpt")
    np.testing.assert_array_equal(whole.steps[8:], resumed.steps[-4:])
    for name, value in whole.validated[-1].items():  # the mean
        assert torch.equal(value, resumed.validated[-1][name]), name
    assert resumed.losses[-1] == whole.losses[-1]
