"""A real training by windows that is stopped within its sentences goes on within them, bit for bit."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from s2s_lit.corpora.captions.source import BuiltinCorpus
from s2s_lit.data.batching.batchers import FixedSize
from s2s_lit.data.batching.windows import TimeStepWindows
from s2s_lit.data.datamodule import DataModule
from s2s_lit.data.fields.text import TextField
from s2s_lit.text.words import Words
from support.tasks import attentive_model, task_of

STEPS = 9


def trained(folder: Path, streaming: bool, saves: ModelCheckpoint | None, resume: Path | None) -> list[torch.Tensor]:
    data = DataModule(
        corpus=BuiltinCorpus(train_rows=24, evaluation_rows=4),
        columns={"source": "en", "target": "de"},
        fields={"source": TextField(tokenizer=Words()), "target": TextField(tokenizer=Words())},
        batcher=TimeStepWindows(batcher=FixedSize(size=8), size=4),
        streaming=streaming,
    )
    data.setup("fit")
    torch.manual_seed(0 if resume is None else 99)
    vocab_size = max(data.fields.sizes.values())
    task = task_of(attentive_model(vocab_size, 8), partial(torch.optim.Adam, lr=0.01))
    task.fields = data.fields
    trainer = Trainer(
        max_epochs=-1, max_steps=STEPS, accelerator="cpu", logger=False, enable_checkpointing=saves is not None,
        callbacks=[saves] if saves else [], enable_progress_bar=False, enable_model_summary=False,
        limit_val_batches=0, default_root_dir=folder,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(task, datamodule=data, ckpt_path=resume, weights_only=True)
    assert trainer.global_step == STEPS
    return [parameter.detach() for parameter in task.parameters()]


@pytest.mark.parametrize("streaming", [False, True])
def test_what_is_carried_survives_a_checkpoint(
    streaming: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S2S_CACHE", str(tmp_path / "tokenizers"))
    saves = ModelCheckpoint(tmp_path, "{step}", save_top_k=-1, every_n_train_steps=1)
    whole = trained(tmp_path, streaming, saves, None)
    within = []
    for step in range(1, STEPS):
        path = tmp_path / f"step={step}.ckpt"
        if torch.load(path, weights_only=True)["s2s_lit"]["carried"] != [None]:
            within.append(path)
    assert 0 < len(within) < STEPS - 1
    rest = trained(tmp_path, streaming, None, within[-1])
    assert all(torch.equal(one, other) for one, other in zip(rest, whole, strict=True))
