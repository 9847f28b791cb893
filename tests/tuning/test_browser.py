"""Slow: MLflow's UI shows a sweep as one run, and its trials below it when that is opened."""

from __future__ import annotations

import importlib.util
import multiprocessing
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.sweep_runs import SweepRuns
from s2s_lit.tracking.client.ui import free_port, ui

SCREENSHOTS = Path(__file__).parents[2] / "experiments" / "screenshots.py"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("screenshots", SCREENSHOTS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def chrome() -> Iterator[Any]:
    try:
        with load().browser() as chrome:
            yield chrome
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture
def sweep(store: MlflowClient) -> tuple[str, list[str]]:
    """The ids of a sweep's run and of its trials'."""
    runs = SweepRuns(dataset="builtin", experiment="bilstm_attn", study="example")
    parent = runs.create("sweep", "example")
    trials = [runs.create("trial", f"example-{number:03}", parent) for number in range(2)]
    for run in [*trials, parent]:
        runs.end(run, "FINISHED")
    return parent, trials


@pytest.fixture
def url(sweep: object) -> Iterator[str]:
    port = free_port()
    server = multiprocessing.get_context("fork").Process(target=ui, args=(port,))
    server.start()
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/health", timeout=2).close()
            break
        except OSError:
            assert server.is_alive()
            time.sleep(0.3)
    yield address
    server.terminate()
    server.join(30)


def test_trials_stand_below_their_sweep(
    chrome: Any, url: str, sweep: tuple[str, list[str]], store: MlflowClient, tmp_path: Path
) -> None:
    parent, trials = sweep
    experiment = store.get_experiment_by_name("builtin")
    assert experiment is not None
    pages = load().MlflowPages(chrome, url, tmp_path / "pictures")
    chrome.get(f"{url}/#/experiments/{experiment.experiment_id}/runs")
    row = f'.ag-row[row-id="{parent}"]'
    pages.one(row)
    assert not [run for run in trials if chrome.find_elements("css selector", f'.ag-row[row-id="{run}"]')]
    pages.one(f"{row} .ag-cell button").click()
    for run in trials:
        pages.one(f'.ag-row[row-id="{run}"]')
    pages.keep("ui_sweep")
    assert "example-001" in pages.one("body").text
