"""Each name of Lightning's inside that we use is there and means what we take it for."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.demos.boring_classes import BoringModel

from s2s_lit.lightning_adapter import (
    batches_done,
    leave_signals_alone,
    place_between_batches,
    set_logging_step,
    trainer_of,
)

PACKAGE = Path(__file__).parents[1] / "s2s_lit"


class Stops(BoringModel):
    """Looks at the counts of its trainer before each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, int]] = []

    def on_train_batch_start(self, batch: object, batch_idx: int) -> None:
        trainer = trainer_of(self)
        assert trainer is not None
        self.seen.append(batches_done(trainer))


@pytest.fixture
def fitted() -> tuple[Trainer, Stops]:
    module = Stops()
    trainer = Trainer(
        max_epochs=2, limit_train_batches=3, limit_val_batches=0, accelerator="cpu", logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module)
    return trainer, module


pytestmark = pytest.mark.filterwarnings("ignore")


def test_the_names_were_looked_up_in_this_version() -> None:
    """Another version may name its insides otherwise: look them up there, run tests/resuming, then change this line."""
    assert re.match(r"2\.6\.", lightning.__version__)


def test_the_batches_that_are_done_are_counted(fitted: tuple[Trainer, Stops]) -> None:
    trainer, module = fitted
    assert module.seen == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert batches_done(trainer) == (2, 0)


def test_a_module_may_have_no_trainer(fitted: tuple[Trainer, Stops]) -> None:
    trainer, module = fitted
    assert trainer_of(module) is trainer
    assert trainer_of(Stops()) is None


def test_the_step_of_logging_is_a_count_that_checkpoints_keep(fitted: tuple[Trainer, Stops], tmp_path: Path) -> None:
    trainer, _ = fitted
    assert kept(trainer, tmp_path)["epoch_loop.state_dict"]["_batches_that_stepped"] == 6
    set_logging_step(trainer, 4)
    assert kept(trainer, tmp_path)["epoch_loop.state_dict"]["_batches_that_stepped"] == 4


def test_a_checkpoint_is_placed_between_two_batches(fitted: tuple[Trainer, Stops], tmp_path: Path) -> None:
    trainer, _ = fitted
    trainer.fit_loop.epoch_loop.batch_progress.increment_ready()  # as when the next batch has been fetched
    checkpoint = {"loops": {"fit_loop": kept(trainer, tmp_path)}}
    place_between_batches(checkpoint)
    placed = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
    assert placed["total"]["ready"] == placed["total"]["completed"] == 6
    assert placed["current"]["ready"] == placed["current"]["completed"] == 3
    assert not placed["is_last_batch"]


class Handlers(BoringModel):
    """Looks at the signal handlers while it is fitted and tested."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[Any] = set()

    def look(self) -> None:
        self.seen.add(signal.getsignal(signal.SIGTERM))

    on_fit_start = on_train_start = on_train_end = on_test_start = on_test_end = on_fit_end = look


@pytest.mark.parametrize("alone", [True, False])
def test_lightning_sets_no_handler_of_sigterm(alone: bool) -> None:
    module = Handlers()
    trainer = Trainer(
        fast_dev_run=True, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False
    )
    if alone:
        leave_signals_alone(trainer)
    trainer.fit(module)
    trainer.test(module, verbose=False)
    assert (module.seen == {signal.getsignal(signal.SIGTERM)}) is alone


def kept(trainer: Trainer, folder: Path) -> dict[str, Any]:
    """What a checkpoint keeps of the training loop."""
    trainer.save_checkpoint(folder / "any.ckpt")
    loops: dict[str, Any] = torch.load(folder / "any.ckpt", weights_only=True)["loops"]["fit_loop"]
    return loops


def test_no_other_file_reaches_into_a_trainer() -> None:
    inside = re.compile(r"\b(trainer|fit_loop|epoch_loop|pl_module|module)\._[a-z]|self\._trainer\b|fit_loop")
    found = {file.name for file in PACKAGE.rglob("*.py") if inside.search(file.read_text())}
    assert found == {"lightning_adapter.py"}
