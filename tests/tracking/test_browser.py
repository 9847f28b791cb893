"""Slow: a user opens the UI in a browser, selects two runs and finds what differs, how they went, where they look."""

from __future__ import annotations

import importlib.util
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from mlflow.tracking import MlflowClient
from PIL import Image

from s2s_lit.__main__ import main
from s2s_lit.errors import UserError
from s2s_lit.tracking.client.connection import connect
from s2s_lit.tracking.client.runs import RunRecord, list_runs
from s2s_lit.tracking.client.runs_table import runs_table
from s2s_lit.tracking.client.ui import free_port, ui
from s2s_lit.tracking.lifecycle import tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.records.samples import SAMPLE_COLUMNS
from support.compared import predict, references, write_run
from support.services import missing
from support.tiny import TINY

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def screenshots() -> ModuleType:
    return load(EXPERIMENTS / "screenshots.py")


@pytest.fixture(scope="module")
def chrome(screenshots: ModuleType) -> Iterator[Any]:
    try:
        with screenshots.browser() as chrome:
            yield chrome
    except UserError as error:
        missing(str(error))


@pytest.fixture(scope="module")
def project(chrome: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A folder with two trained runs, and the port at which `s2s ui` shows them."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "experiments").symlink_to(EXPERIMENTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert main(["train", "lstm", *TINY, "--seed=2"]) == 0
        assert main(["train", "bilstm_attn", *TINY]) == 0
        attended, plain = list_runs()
        experiment = connect().get_experiment_by_name("builtin")
        assert experiment is not None
        port = free_port()
        server = multiprocessing.get_context("fork").Process(target=ui, args=(port,))
        server.start()
        found = {"folder": folder, "port": port, "experiment": experiment.experiment_id, "server": server}
        yield SimpleNamespace(attended=attended, plain=plain, **found)
        server.terminate()
        server.join(30)


@pytest.fixture(scope="module")
def pages(screenshots: ModuleType, chrome: Any, project: SimpleNamespace) -> Any:
    url = f"http://127.0.0.1:{project.port}"
    wait_for(url, project.server)
    return screenshots.MlflowPages(chrome, url, project.folder / "pictures")


def wait_for(url: str, server: Any) -> None:
    import time
    import urllib.request

    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2):
                return
        except OSError:
            assert server.is_alive()
            time.sleep(0.3)
    raise AssertionError("the UI did not come up")


def colours(file: Path) -> int:
    return len(Image.open(file).convert("RGB").getcolors(1 << 24) or [])


def drawn(project: SimpleNamespace, picture: str) -> bool:
    """Whether a screenshot is kept and not blank."""
    return colours(project.folder / "pictures" / f"{picture}.png") > 100


def test_two_runs_are_selected_and_what_differs_is_found(pages: Any, project: SimpleNamespace) -> None:
    """One test, as one user: each part needs both trainings and the server."""
    rows = pages.runs(
        runs_table(connect(f"sqlite:///{project.folder}/mlflow.db")), [project.attended.run_id, project.plain.run_id]
    )
    for row, run in zip(rows, (project.attended, project.plain), strict=True):
        assert f"{run.metrics['test/chrf']:.4f}"[:5] in row
        assert run.experiment in row
    assert drawn(project, "ui_runs")

    differing = pages.compare()
    for parameter in ("model.encoder.bidirectional", "AdditiveAttention", "seed"):
        assert parameter in differing
    assert "data.batcher\n" not in differing
    assert "trainer.max_epochs" not in differing
    assert drawn(project, "ui_comparison")

    assert "val/bleu" in pages.charts(project.experiment, "val/bleu")
    assert drawn(project, "ui_charts")

    run: RunRecord = project.attended
    kept = connect(f"sqlite:///{project.folder}/mlflow.db").download_artifacts(run.run_id, "attention/test-1.png")
    assert pages.artifact(project.experiment, run.run_id, "attention/test-1.png") == Image.open(kept).size
    assert drawn(project, "ui_attention")


def test_the_page_of_a_comparison_works_without_a_server(chrome: Any, store: MlflowClient, tmp_path: Path) -> None:
    texts = references(30)
    for experiment, damage in (("lstm", 0.6), ("bilstm_attn", 0.1)):
        for seed in (1, 2):
            write_run(experiment, predict(texts, damage, seed), seed=seed, model={"class_path": experiment})
    assert main(["compare", "lstm", "bilstm_attn", "--bootstrap=50", "--randomizations=50"]) == 0
    (page,) = (tmp_path / "runs").rglob("compare.html")
    chrome.get_log("browser")  # what earlier pages said
    chrome.get(page.as_uri())
    assert "bilstm_attn" in chrome.find_element("tag name", "body").text
    for width in (1280, 390):  # a telephone's
        screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        pictures = chrome.find_elements("css selector", ".lines svg, .attention svg")
        assert len(pictures) > 2
        assert all(svg.size["width"] > 50 and svg.size["height"] > 50 for svg in pictures)
        assert all(svg.rect["x"] + svg.rect["width"] <= width for svg in pictures)
        assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert [line for line in chrome.get_log("browser") if line["level"] == "SEVERE"] == []


@pytest.mark.parametrize(("hypotheses", "shown"), [(["no", "yes"], 2), (["yes", "yes"], 1), (["no", "no"], 1)])
def test_the_sentence_that_is_shown_is_translated_rightly(
    screenshots: ModuleType, store: MlflowClient, hypotheses: list[str], shown: int
) -> None:
    tracker = MlflowTracker(dataset="builtin", experiment="bilstm_attn")
    with tracked_run(tracker):
        tracker.log_table(SAMPLE_COLUMNS, [[0, "?", "yes", each, 0.0] for each in hypotheses], "samples/test.json")
        for picture in ("validation-1/step-1", "test-1", "test-2"):
            tracker.log_text("", f"attention/{picture}.png")
    assert screenshots.attention_to_show(tracker.run_id) == f"attention/test-{shown}.png"
