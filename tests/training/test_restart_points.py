"""Restart points by themselves: signals, and disks that take nothing more. Whole trainings are in tests/resuming."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from s2s_lit.checkpoint_files import NotSavedError
from s2s_lit.errors import Terminated
from s2s_lit.training.restart_points import RestartPoints


@pytest.fixture
def points(tmp_path: Path) -> RestartPoints:
    best = ModelCheckpoint(tmp_path, monitor="val/bleu")
    return RestartPoints(tmp_path, run_id="0123456789", best=best, minutes=10, steps=0)


RAISED = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}


@pytest.mark.parametrize("number", RAISED)
def test_a_signal_after_the_last_step_is_not_lost(
    number: signal.Signals, points: RestartPoints, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    nothing: Any = None
    points.on_train_start(nothing, nothing)
    os.kill(os.getpid(), number)  # which a step would notice, and there is none
    with pytest.raises(RAISED[number]):
        points.on_train_end(nothing, nothing)
    assert signal.getsignal(number) is before
    assert capsys.readouterr().out == "stopped after the last step. To go on: make resume RUN=01234567\n"


@pytest.mark.parametrize("number", RAISED)
def test_a_signal_stops_before_the_next_step_with_a_restart_point(
    number: signal.Signals, points: RestartPoints, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = []
    monkeypatch.setattr(points, "_save", lambda trainer, device: saved.append(trainer.global_step))
    nothing: Any = None
    module: Any = SimpleNamespace(device=torch.device("cpu"))
    points.on_train_start(nothing, nothing)
    for step in (0, 1, 2):
        trainer: Any = SimpleNamespace(accumulate_grad_batches=2, global_step=step)
        points.on_train_batch_start(trainer, module, None, 2 * step)
    os.kill(os.getpid(), number)
    points.on_train_batch_start(trainer, module, None, 5)  # in the middle of a step
    trainer.global_step = 3
    with pytest.raises(RAISED[number]):
        points.on_train_batch_start(trainer, module, None, 6)
    points.on_exception(trainer, module, KeyboardInterrupt())
    assert saved == [0, 3]
    assert capsys.readouterr().out == "stopped before step 4. To go on: make resume RUN=01234567\n"


def test_a_point_follows_each_validation_that_was_the_best(points: RestartPoints, monkeypatch: Any) -> None:
    saved = []
    monkeypatch.setattr(points, "_save", lambda trainer, device: saved.append(trainer.global_step))
    first, second = torch.tensor(0.1), torch.tensor(0.3)
    for step, points._best.best_model_score in enumerate([None, None, first, first, second, second]):
        trainer: Any = SimpleNamespace(accumulate_grad_batches=1, global_step=step)
        module: Any = SimpleNamespace(device=torch.device("cpu"))
        points.on_train_batch_start(trainer, module, None, step)
    assert saved == [0, 2, 4]


@pytest.mark.parametrize("full", [False, True])
def test_a_full_disk_costs_the_new_point_alone(full: bool, points: RestartPoints) -> None:
    """The processes meet as often as where all went well, or they would never meet again."""
    points.path.write_bytes(b"the one before")
    met = []

    def save(path: Path) -> None:
        if full:
            raise NotSavedError(28, "No space left on device", str(path))
        met.append("in Lightning")

    strategy = SimpleNamespace(barrier=lambda: met.append("after it"))
    trainer: Any = SimpleNamespace(save_checkpoint=save, global_step=7, strategy=strategy)
    points._save(trainer, torch.device("cpu"))
    assert met == ["after it" if full else "in Lightning"]
    assert points.path.read_bytes() == b"the one before"


def test_nothing_is_left_of_a_training_that_has_ended(points: RestartPoints) -> None:
    points.path.write_bytes(b"the newest")
    points.path.with_name("last.ckpt.new").write_bytes(b"what a kill left of writing it")
    points.remove()
    assert not list(points.path.parent.iterdir())
