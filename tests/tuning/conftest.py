"""What the tests of tuning share: a project's folder, and an empty MLflow store to copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.tracking.client.connection import connect
from support.mariadb import mariadb, mariadb_server
from support.postgres import postgres, postgres_server

__all__ = ["mariadb", "mariadb_server", "postgres", "postgres_server"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as a user has it: the project's experiments and sweeps, and room for more."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for folder in ("experiments", "sweeps"):
        (tmp_path / folder).mkdir()
        for path in (ROOT / folder).iterdir():
            (tmp_path / folder / path.name).symlink_to(path)
    return tmp_path


@pytest.fixture
def store(empty_database: Path, in_project: Path) -> MlflowClient:
    """The same with a store of its own, to be looked into."""
    shutil.copy(empty_database, in_project / "mlflow.db")
    return connect()
