"""A finished tiny training, made once by the program itself, for all tests that use a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from s2s_lit.__main__ import main
from s2s_lit.tracking.store import RunRecord, list_runs

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
TINY = [
    "--data.source.train_rows=300",
    "--data.source.evaluation_rows=30",
    "--data.codec.vocab_size=200",
    "--model.embedding_size=16",
    "--model.decoder.feature_size=16",
    "--model.encoder.recurrence.hidden_size=8",
    "--model.decoder.recurrence.hidden_size=8",
    "--trainer.max_epochs=2",
    "--trainer.limit_train_batches=3",
    "--task.search.max_length_ratio=1",
    "--task.validation_search.max_length_ratio=1",
]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a user has it: the experiments, no runs yet."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "experiments").symlink_to(EXPERIMENTS)
    return folder


@pytest.fixture
def in_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return project


@pytest.fixture(scope="session")
def trained(project: Path) -> Iterator[RunRecord]:
    """The record of a run of `s2s train bilstm_attn`, tiny."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert main(["train", "bilstm_attn", *TINY]) == 0
        (run,) = [run for run in list_runs() if run.kind == "train"]
        yield run
