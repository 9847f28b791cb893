"""The experiment files, found."""

from __future__ import annotations

from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
NAMES = sorted(file.stem for file in EXPERIMENTS.glob("*.yaml") if file.stem != "base")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a user has it: the experiments, and one store for all runs (making one takes seconds)."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "experiments").symlink_to(EXPERIMENTS)
    return folder


@pytest.fixture
def in_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "experiment" in metafunc.fixturenames:
        metafunc.parametrize("experiment", NAMES)
