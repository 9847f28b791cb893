"""Real Lightning trainings of a small network on a few fixed batches."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from lightning.pytorch import Callback, Trainer

from s2s_lit.decoding.greedy import GreedySearch
from s2s_lit.losses.token import TokenNLL
from s2s_lit.nn.attention.additive import AdditiveAttention
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.recurrent import GRU
from s2s_lit.tasks.translation import TranslationTask
from s2s_lit.text.vocabulary import SPECIALS
from support.networks import VOCAB, network, random_batch
from support.tasks import fields_of

Train = Callable[..., TranslationTask]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logger.setLevel(level)


def make_task(**settings: Any) -> TranslationTask:
    torch.manual_seed(0)
    search = GreedySearch(max_length_ratio=1)
    settings.setdefault("optimizer", lambda parameters: torch.optim.SGD(parameters, lr=0.5))
    settings.setdefault("loss", TokenNLL())
    return TranslationTask(
        network(RecurrentDecoder, recurrence=GRU, attention=AdditiveAttention)(),
        fields_of([str(n) for n in range(len(SPECIALS), VOCAB)]),
        search=search,
        validation_search=search,
        **settings,
    )


@pytest.fixture
def train(tmp_path: Path) -> Train:
    """Train for some epochs of four batches, each followed by a validation; from a checkpoint if there is one."""

    def run(
        *callbacks: Callback,
        epochs: int = 3,
        accumulate: int = 1,
        log_every_n_steps: int = 50,
        resume: Path | None = None,
        **settings: Any,
    ) -> TranslationTask:
        task = make_task(**settings)
        trainer = Trainer(
            max_epochs=epochs, accumulate_grad_batches=accumulate, accelerator="cpu", logger=False,
            callbacks=list(callbacks), enable_checkpointing=bool(callbacks), enable_progress_bar=False,
            log_every_n_steps=log_every_n_steps, enable_model_summary=False, num_sanity_val_steps=1,
            default_root_dir=tmp_path,
        )  # fmt: skip
        trainer.fit(task, loader(range(4)), loader([9]), ckpt_path=resume, weights_only=True)
        return task

    return run


def loader(seeds: Iterable[int]) -> Any:
    batches = [random_batch(seed) for seed in seeds]
    dealt = [replace(batch, rows=tuple(range(len(batch)))) for batch in batches]
    return torch.utils.data.DataLoader(cast(Any, dealt), batch_size=None)
