"""What many tests share: an SQLite store (made once: it takes seconds), a project's folder, a tiny trained run."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from mlflow.tracking import MlflowClient

from s2s_lit.__main__ import main
from s2s_lit.tracking.client.connection import connect
from s2s_lit.tracking.client.runs import RunRecord, list_runs
from support.tiny import TINY

EXPERIMENTS = Path(__file__).parents[1] / "experiments"

settings.register_profile("s2s", deadline=None)  # how long an example takes depends on who else uses the machine
settings.load_profile("s2s")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("mlflow") / "empty.db"
    connect(f"sqlite:///{file}")
    return file


@pytest.fixture
def heeds_signals() -> Iterator[None]:
    """Ctrl-C and a closed terminal mean what they do in a foreground job, for this process and those that it starts.

    Shells start background jobs with the one ignored, `nohup` with the other, and that is inherited.
    """
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def store(empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """The working directory's own store, as a user without MLFLOW_TRACKING_URI has it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return connect()


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
