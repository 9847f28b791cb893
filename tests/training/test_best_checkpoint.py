"""Which checkpoint is the best: by the monitored score, then by the loss; also where a project was moved meanwhile."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.demos.boring_classes import BoringModel

from s2s_lit.training.best_checkpoint import BestCheckpoint


class Scored(BoringModel):
    """Its validations score what it is told."""

    def __init__(self, bleu: Sequence[float] = (0.9, 0.5, 0.6), loss: Sequence[float] = (3.0, 2.0, 1.0)) -> None:
        super().__init__()
        self.validations = list(zip(bleu, loss, strict=True))

    def on_validation_epoch_end(self) -> None:
        bleu, loss = self.validations[self.current_epoch]
        self.log("val/bleu", torch.tensor(bleu))
        self.log("val/loss", torch.tensor(loss))


def fit(model: LightningModule, folder: Path, *, epochs: int, resume: Path | None = None) -> BestCheckpoint:
    best = BestCheckpoint(
        dirpath=folder, filename="best", monitor="val/bleu", mode="max", save_weights_only=True,
        enable_version_counter=False,
    )  # fmt: skip
    trainer = Trainer(
        max_epochs=epochs, callbacks=[best], limit_train_batches=1, limit_val_batches=1, num_sanity_val_steps=0,
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(model, ckpt_path=resume, weights_only=True)
    trainer.save_checkpoint(folder / "last.ckpt")
    return best


@pytest.mark.filterwarnings("ignore")
def test_a_worse_validation_after_a_move_does_not_replace_the_best(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    kept = Path(fit(Scored(), before, epochs=1).best_model_path).read_bytes()
    before.rename(after)
    best = fit(Scored(), after, epochs=3, resume=after / "last.ckpt")
    assert best.best_model_path == str(after / "best.ckpt")
    assert Path(best.best_model_path).read_bytes() == kept
    assert best.best_model_score is not None
    assert float(best.best_model_score) == pytest.approx(0.9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("bleu", "loss", "step"),
    [
        ((0.0, 0.0, 0.0), (6.0, 4.0, 5.0), 2),  # nothing is found yet, so the loss decides
        ((0.0, 0.5, 0.0), (6.0, 5.0, 4.0), 2),
        ((0.5, 0.5, 0.5), (4.0, 4.0, 4.0), 3),  # all is equal: the later
        ((math.nan, 0.0, 0.0), (6.0, 5.0, math.nan), 2),
    ],
)
def test_of_equal_scores_the_lower_loss_is_better_and_then_the_later(
    bleu: Sequence[float], loss: Sequence[float], step: int, tmp_path: Path
) -> None:
    best = fit(Scored(bleu, loss), tmp_path, epochs=3)
    assert torch.load(best.best_model_path, weights_only=True)["global_step"] == step
    assert best.kept == {"val/bleu": pytest.approx(bleu[step - 1]), "val/loss": loss[step - 1]}


@pytest.mark.filterwarnings("ignore")
def test_what_is_kept_survives_a_restart(tmp_path: Path) -> None:
    model = Scored((0.0, 0.0, 0.0), (6.0, 4.0, 5.0))
    fit(model, tmp_path, epochs=2)
    best = fit(model, tmp_path, epochs=3, resume=tmp_path / "last.ckpt")
    assert torch.load(best.best_model_path, weights_only=True)["global_step"] == 2
    assert best.kept == {"val/bleu": 0.0, "val/loss": 4.0}
