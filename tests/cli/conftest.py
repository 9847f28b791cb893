"""A finished tiny training, made once by the program itself, for all tests that use a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from s2s_lit.__main__ import main
from s2s_lit.tracking.store import RunRecord, list_runs
from support.tiny import TINY

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


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
