"""A tiny trained run, by the door that is tested."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import s2s_lit
from support.tiny import TINY

CHANGES = {key.removeprefix("--"): value for key, _, value in (word.partition("=") for word in TINY)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty working directory: experiments are those of the project itself."""
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture(scope="module")
def trained(folder: Path) -> s2s_lit.Trained:
    nested = {"trainer": {"limit_train_batches": 1, "max_epochs": 1}}
    return s2s_lit.train("bilstm_attn", overrides={**CHANGES, **nested})


@pytest.fixture(scope="module")
def model(trained: s2s_lit.Trained) -> s2s_lit.TrainedModel:
    return s2s_lit.load(trained.run_id, device="cpu")
