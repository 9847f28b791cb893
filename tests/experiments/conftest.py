"""The experiment files, found."""

from __future__ import annotations

from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
NAMES = sorted(file.stem for file in EXPERIMENTS.glob("*.yaml") if file.stem != "base")


@pytest.fixture
def in_project(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder as a user has it: the experiments, no runs yet."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "experiments").symlink_to(EXPERIMENTS)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "experiment" in metafunc.fixturenames:
        metafunc.parametrize("experiment", NAMES)
