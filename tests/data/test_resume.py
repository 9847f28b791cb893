"""Real Lightning trainings, stopped at every kind of checkpoint and gone on with."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from s2s_lit.data.batching.batchers import Batcher, FixedSize, LengthBuckets, TokenBudget
from s2s_lit.data.batching.windows import TimeStepWindows
from s2s_lit.data.datamodule import DataModule
from s2s_lit.data.fields.text import TextField
from s2s_lit.data.sources.hub import HubCorpus
from s2s_lit.text.words import Words
from s2s_lit.types import Batch

BATCHERS = [
    LengthBuckets(size=8, pool=24),
    TokenBudget(max_tokens=60, pool=20),
    TimeStepWindows(batcher=FixedSize(size=16), size=5),
]
SAVES: dict[str, dict[str, Any]] = {
    "step": {"every_n_train_steps": 1},
    "validation": {"every_n_epochs": 1, "save_on_train_epoch_end": False},
    "epoch": {"every_n_epochs": 1, "save_on_train_epoch_end": True},
}


class Recorder(LightningModule):
    """Learns nothing and remembers which sentences it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen: list[tuple[int, tuple[int, ...]]] = []

    def training_step(self, batch: Batch) -> Tensor:
        self.seen.append((self.current_epoch, batch.rows))
        return self.layer(torch.ones(1)).sum()

    def validation_step(self, batch: Batch) -> None:
        pass

    def configure_optimizers(self) -> torch.optim.Optimizer:
        _ = self.trainer.estimated_stepping_batches  # as schedules do: Lightning then begins the first pass at once
        return torch.optim.SGD(self.parameters(), lr=0.0)


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logger.setLevel(level)


def train(
    corpus: Path, streaming: bool, batcher: Batcher, *, limit: float, saves: ModelCheckpoint | None, resume: str | None
) -> list[tuple[int, tuple[int, ...]]]:
    data = DataModule(
        corpus=HubCorpus(path="owner/name", data_dir=corpus), tokenizer=Words(), batcher=batcher, streaming=streaming,
        fields={"source": TextField(), "target": TextField()}, columns={"source": "en", "target": "de"},
        shuffle_pool=7, eval_batch_size=4,
    )  # fmt: skip
    trainer = Trainer(
        max_epochs=3, limit_train_batches=limit, val_check_interval=2, accelerator="cpu", logger=False,
        enable_checkpointing=saves is not None, callbacks=[saves] if saves else [], enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=1, default_root_dir=corpus,
    )  # fmt: skip
    recorder = Recorder()
    trainer.fit(recorder, datamodule=data, ckpt_path=resume, weights_only=True)
    return recorder.seen


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(("batcher", "limit"), [*((batcher, 1.0) for batcher in BATCHERS), (BATCHERS[-1], 5)])
@pytest.mark.parametrize("save", SAVES)
def test_what_follows_a_checkpoint_is_what_would_have_followed(
    corpus: Path, tmp_path: Path, streaming: bool, batcher: Batcher, save: str, limit: float
) -> None:
    saves = ModelCheckpoint(tmp_path, "{step}", save_top_k=-1, **SAVES[save])
    whole = train(corpus, streaming, batcher, limit=limit, saves=saves, resume=None)
    assert [epoch for epoch, _ in whole] == sorted(epoch for epoch, _ in whole)
    epochs = [[rows for e, rows in whole if e == epoch] for epoch in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    if limit == 1.0:
        assert all(len({row for rows in epoch for row in rows}) == 53 for epoch in epochs)
    checkpoints = {int(path.stem.removeprefix("step=").split("-")[0]): path for path in tmp_path.glob("*.ckpt")}
    per_epoch = len(whole) // 3
    for step in sorted(checkpoints.keys() & {1, per_epoch - 1, per_epoch, per_epoch + 3, 2 * per_epoch}):
        rest = train(corpus, streaming, batcher, limit=limit, saves=None, resume=str(checkpoints[step]))
        assert rest == whole[step:], f"resumed after step {step} of {len(whole)}"
    assert checkpoints
