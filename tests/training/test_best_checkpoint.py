"""The best checkpoint, where a project was moved while a training of it was stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.demos.boring_classes import BoringModel

from s2s_lit.training.best_checkpoint import BestCheckpoint


class Scored(BoringModel):
    """Validations score 0.9, 0.5, 0.6 and so on."""

    def on_validation_epoch_end(self) -> None:
        self.log("val/bleu", torch.tensor([0.9, 0.5, 0.6][self.current_epoch]))


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
