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

from s2s_lit.errors import Terminated
from s2s_lit.training import restart_points
from s2s_lit.training.restart_points import RestartPoints


@pytest.fixture
def points(tmp_path: Path) -> RestartPoints:
    best = ModelCheckpoint(tmp_path, monitor="val/bleu")
    return RestartPoints(tmp_path, run_id="0123456789", best=best, minutes=10, steps=0)


def test_sigterm_after_the_last_step_is_not_lost(points: RestartPoints) -> None:
    before = signal.getsignal(signal.SIGTERM)
    nothing: Any = None
    points.on_train_start(nothing, nothing)
    os.kill(os.getpid(), signal.SIGTERM)  # which a step would notice, and there is none
    with pytest.raises(Terminated):
        points.on_train_end(nothing, nothing)
    assert signal.getsignal(signal.SIGTERM) is before


def test_sigterm_stops_a_test_at_once(points: RestartPoints) -> None:
    before = signal.getsignal(signal.SIGTERM)
    nothing: Any = None
    points.on_test_start(nothing, nothing)
    with pytest.raises(Terminated):
        os.kill(os.getpid(), signal.SIGTERM)
    points.on_test_end(nothing, nothing)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_point_follows_each_validation_that_was_the_best(points: RestartPoints, monkeypatch: Any) -> None:
    saved = []
    monkeypatch.setattr(points, "_save", lambda trainer, device: saved.append(trainer.global_step))
    first, second = torch.tensor(0.1), torch.tensor(0.3)
    for step, points._best.best_model_score in enumerate([None, None, first, first, second, second]):
        trainer: Any = SimpleNamespace(accumulate_grad_batches=1, global_step=step)
        module: Any = SimpleNamespace(device=torch.device("cpu"))
        points.on_train_batch_start(trainer, module, None, step)
    assert saved == [0, 2, 4]


@pytest.mark.parametrize("full", ["while it is written", "when it is put in its place"])
def test_a_full_disk_costs_the_new_point_alone(full: str, points: RestartPoints, monkeypatch: Any) -> None:
    """The processes meet as often as where all went well, or they would never meet again."""
    points.path.write_bytes(b"the one before")
    met = []

    def save_checkpoint(path: Path) -> None:
        path.write_bytes(b"half")
        if full == "while it is written":
            raise OSError("no space left on device")
        met.append("in Lightning")

    def replace(fresh: Path, path: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(restart_points, "replace", replace)
    strategy = SimpleNamespace(barrier=lambda: met.append("after it"))
    trainer: Any = SimpleNamespace(
        save_checkpoint=save_checkpoint, is_global_zero=True, global_step=7, strategy=strategy
    )
    points._save(trainer, torch.device("cpu"))
    assert len(met) == 1
    assert [(file.name, file.read_bytes()) for file in points.path.parent.iterdir()] == [
        ("last.ckpt", b"the one before")
    ]


def test_nothing_is_left_of_a_training_that_has_ended(points: RestartPoints, monkeypatch: Any) -> None:
    def killed(fresh: Path, path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(restart_points, "replace", killed)
    points.path.write_bytes(b"the one before")
    trainer: Any = SimpleNamespace(save_checkpoint=lambda path: path.write_bytes(b"whole"), is_global_zero=True)
    with pytest.raises(KeyboardInterrupt):
        points._save(trainer, torch.device("cpu"))
    assert len(list(points.path.parent.iterdir())) == 2
    points.remove()
    assert not list(points.path.parent.iterdir())
