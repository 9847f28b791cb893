"""A real SQLite store for each test, copied from one that is created once: creating the tables takes seconds."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from mlflow.tracking import MlflowClient

from s2s_lit.tracking.connection import connect

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
