"""Optimizers and schedules as the task uses them."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from s2s_lit.errors import DivergenceError, UserError
from s2s_lit.losses.activation import ActivationRegularization
from s2s_lit.losses.base import LossResult
from s2s_lit.losses.coverage import CoveragePenalty
from s2s_lit.losses.token import TokenNLL
from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.optim.plateau import PlateauSchedule
from s2s_lit.optim.schedules import CosineSchedule
from s2s_lit.optim.step_schedules import LuongSchedule
from s2s_lit.types import Batch, ModelOutput
from support.networks import random_batch
from tasks.conftest import Train, make_task

OPTIMIZERS = {
    "SGD": partial(torch.optim.SGD, lr=0.5, momentum=0.9, weight_decay=1e-4),
    "Adam": partial(torch.optim.Adam, lr=0.03, weight_decay=1e-4),
    "AdamW": partial(torch.optim.AdamW, lr=0.03),
    "Adafactor": partial(torch.optim.Adafactor, lr=0.05),
    "RAdam": partial(torch.optim.RAdam, lr=0.2),
}


class Curve(Callback):
    """The loss and the learning rates at each step."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.rates: list[list[float]] = []

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        self.rates.append([group["lr"] for group in optimizer.param_groups])

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        self.losses.append(float(trainer.callback_metrics["train/loss"]))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns(train: Train, name: str) -> None:
    curve = Curve()
    train(curve, optimizer=OPTIMIZERS[name], epochs=5)
    assert sum(curve.losses[-4:]) < 0.97 * sum(curve.losses[:4])


def test_all_groups_follow_the_schedule(train: Train) -> None:
    curve = Curve()
    train(curve, schedule=partial(LuongSchedule, halvings=2), epochs=3)
    expected = [0.5] * 6 + [0.25] * 3 + [0.125] * 3
    assert curve.rates == [[rate, rate] for rate in expected]


@pytest.mark.parametrize("resumed", [False, True])
def test_plateau_hears_each_validation_and_remembers_what_it_heard(train: Train, tmp_path: Path, resumed: bool) -> None:
    heard: list[float] = []

    class Listening(PlateauSchedule):
        def observe(self, loss: float) -> None:
            heard.append(loss)
            super().observe(4.0 - 0.001 * len(heard))  # falls by less than it takes

    schedule = partial(Listening, patience=0, threshold=0.5)
    curve = Curve()
    keep = ModelCheckpoint(tmp_path, "{step}", save_top_k=-1, every_n_epochs=1, save_on_train_epoch_end=False)
    train(curve, keep, schedule=schedule, epochs=4)
    if resumed:
        curve = Curve()
        train(curve, schedule=schedule, epochs=4, resume=tmp_path / "step=12.ckpt")
    assert len(heard) == (5 if resumed else 4)  # not the check before training
    # the first is the best; a fall works from the second step after its validation
    expected = [0.5] * 9 + [0.25] * 4 + [0.125] * 3
    assert [rates[0] for rates in curve.rates] == (expected[12:] if resumed else expected)


def test_a_training_that_is_resumed_for_longer_follows_the_longer_curve(train: Train, tmp_path: Path) -> None:
    keep = ModelCheckpoint(tmp_path, "{step}", save_top_k=-1, every_n_epochs=1)
    train(keep, schedule=CosineSchedule, epochs=2)
    curve, longer = Curve(), CosineSchedule(16)
    train(curve, schedule=CosineSchedule, epochs=4, resume=tmp_path / "step=8.ckpt")
    # the step that is taken first had its rate when the checkpoint was made
    assert [rates[0] for rates in curve.rates[1:]] == [0.5 * longer.factor(step) for step in range(9, 16)]


def test_what_an_optimizer_objects_to_is_said_with_its_key(train: Train) -> None:
    with pytest.raises(UserError, match=r"task\.optimizer: Nesterov"):
        train(optimizer=partial(torch.optim.SGD, lr=0.1, nesterov=True))


def test_a_training_that_diverges_stops_before_its_weights_are_lost(train: Train) -> None:
    """At its sixth step."""
    curve, tasks = Curve(), []

    class Exploding(Callback):
        def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
            tasks.append(pl_module)
            if trainer.global_step == 5:
                next(pl_module.parameters()).grad.mul_(math.inf)  # type: ignore[union-attr]

    with pytest.raises(UserError, match=r"norm is (nan|inf) at step 6, with a learning rate of 0\.5\. Lower"):
        train(curve, Exploding(), log_every_n_steps=1)
    assert len(curve.losses) == 5
    assert all(parameter.isfinite().all() for parameter in tasks[0].parameters())


def test_a_loss_that_is_infinite_stops_a_training_though_its_gradient_is_finite(train: Train) -> None:
    class Impossible(TokenNLL):
        def forward(self, output: ModelOutput, batch: Batch) -> LossResult:
            found = super().forward(output, batch)
            return replace(found, nll=found.nll + math.inf)

    curve = Curve()
    with pytest.raises(DivergenceError, match=r"the loss is inf at step 1, with a learning rate of 0\.5\. Lower"):
        train(curve, loss=Impossible(), log_every_n_steps=1)
    assert not curve.losses


def test_a_training_that_logs_nothing_trains(train: Train) -> None:
    curve = Curve()
    train(curve, epochs=1, log_every_n_steps=0)
    assert len(curve.rates) == 4


def test_with_float16_a_scaler_leaves_out_what_is_not_finite(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "precision", "16-mixed")

    class Exploding(Callback):
        def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
            next(pl_module.parameters()).grad.mul_(math.inf)  # type: ignore[union-attr]

    curve = Curve()
    train(curve, Exploding(), epochs=1, log_every_n_steps=1)
    assert len(curve.rates) == 4  # here no scaler is at work, so the weights are of no interest


def test_a_fused_optimizer_does_not_clip_with_float16(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    fused = partial(torch.optim.Adam, lr=0.01, fused=True)
    train(optimizer=fused, epochs=1)
    monkeypatch.setattr(Trainer, "precision", "16-mixed")
    with pytest.raises(UserError, match=r"task\.optimizer\.fused: .* bf16-mixed"):
        train(optimizer=fused, epochs=1)


def test_penalties_are_logged_apart_per_target_token(train: Train) -> None:
    """Of the one step that four batches make, at the weights before it."""
    penalties = [ActivationRegularization(weight=0.7), CoveragePenalty(weight=0.3)]
    logged: dict[str, float] = {}

    class Log(Callback):
        def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
            logged.update({name: float(value) for name, value in trainer.callback_metrics.items()})

    train(Log(), penalties=penalties, epochs=1, accumulate=4)
    model, batches = make_task().model, [random_batch(seed) for seed in range(4)]
    tokens = sum(int(batch.target.lengths.sum()) for batch in batches)
    with torch.no_grad():
        for penalty in penalties:
            total = sum(float(penalty(model(batch.inputs, batch.target), batch)) for batch in batches)
            assert logged[f"train/{penalty.name}"] == pytest.approx(total / tokens, rel=1e-5)
        nll = sum(float(loss_of(model, batch)) for batch in batches)
    assert logged["train/loss"] == pytest.approx(nll / tokens, rel=1e-5)


def loss_of(model: Seq2Seq, batch: Batch) -> torch.Tensor:
    return TokenNLL()(model(batch.inputs, batch.target), batch).nll


def test_a_penalty_is_listed_once() -> None:
    with pytest.raises(UserError, match=r"task\.penalties \(activation, activation\) has a kind twice"):
        make_task(penalties=[ActivationRegularization(), ActivationRegularization(weight=1.0)])


def test_no_metrics_are_none() -> None:
    assert make_task(metrics=[]).text_metrics == []
    assert make_task().text_metrics != []
