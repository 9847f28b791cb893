"""Pictures of the MLflow UI for README, taken by a browser without a screen: runs, a comparison, charts, attention.

    .venv/bin/python experiments/screenshots.py RUN RUN [--folder experiments/pictures]

Needs Chromium and its driver (Debian: apt-get install chromium chromium-driver) and, of the development's packages,
selenium. RUN is what `make evaluate` takes, two training runs on the same data.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.connection import tracking_uri
from s2s_lit.tracking.client.runs import RunRecord, connect, find_run
from s2s_lit.tracking.client.runs_table import runs_table
from s2s_lit.tracking.client.ui import free_port, serving

PATIENCE_S = 60.0
MENU = 198  # pixels wide
QUIET = (  # without them Chromium asks its maker's hosts at each start
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync --window-size=1280,860"
).split()
SETTINGS = {  # of the page, as it keeps them itself: no assistant
    "mlflow.assistant.panelOpen_v1": "false",
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
}
NO_TOOLBARS = "document.head.insertAdjacentHTML('beforeend', '<style>.modebar-container {display: none}</style>')"
"""Of charts: without a mouse they would stay, and cover what stands at the axes."""


@contextlib.contextmanager
def browser() -> Iterator[Chrome]:
    """Headless Chromium with an empty profile.

    Raises:
        UserError: it is not installed.
    """
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        raise UserError("needs Chromium and its driver: apt-get install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = program
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for argument in (*QUIET, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        chrome = Chrome(options=options, service=Service(driver))
        try:
            yield chrome
        finally:
            chrome.quit()


class MlflowPages:
    """What a user does in MLflow's UI, and what is seen then.

    Args:
        chrome: The browser.
        url: The server.
        folder: Where pictures are kept.
    """

    def __init__(self, chrome: Chrome, url: str, folder: Path) -> None:
        self._chrome, self._url, self._folder = chrome, url, folder
        folder.mkdir(parents=True, exist_ok=True)
        chrome.get(url)
        for key, value in SETTINGS.items():
            chrome.execute_script("localStorage.setItem(arguments[0], arguments[1])", key, value)

    def runs(self, table: str, chosen: Sequence[str]) -> list[str]:
        """Opens the table where `make ui` says that it is, and selects runs by their ids; the rows' texts."""
        self._open(table)
        for run_id in chosen:
            self.one(f'.ag-row[row-id="{run_id}"] .ag-selection-checkbox input').click()
        self.one("button", "Compare")
        top = "document.activeElement.blur(); document.querySelector('.ag-body-viewport').scrollTop = 0"
        self._chrome.execute_script(top)
        self.keep("ui_runs")
        rows = [f'.ag-row[row-id="{run_id}"]' for run_id in chosen]
        return [" ".join(part.text for part in self._chrome.find_elements(By.CSS_SELECTOR, row)) for row in rows]

    def compare(self) -> str:
        """Presses Compare, and shows only the parameters that differ; their table's text."""
        self.one("button", "Compare").click()
        self.one("h1, h2", "Comparing 2 Runs")
        switch = self.one('[aria-label="Parameters - Show diff only"]')
        switch.click()
        title = switch.find_element(By.XPATH, "preceding::*[normalize-space(text())='Parameters'][1]")
        self._chrome.execute_script("arguments[0].scrollIntoView(true)", title)
        self.wait(lambda: len(self.section("Parameters").splitlines()) < 60)
        self.keep("ui_comparison")
        return self.section("Parameters")

    def section(self, title: str) -> str:
        """The text between a heading of the comparison and the next."""
        text = self.one("body").text
        _, _, rest = text.partition(f"\n{title}\nShow diff only\n")
        return rest.partition("\nShow diff only\n")[0]

    def charts(self, experiment_id: str, metric: str) -> str:
        """Opens the charts of all runs and searches for a metric; the page's text."""
        self._open(f"#/experiments/{experiment_id}/runs?workflowType=machine_learning&compareRunsMode=CHART")
        self.one('input[placeholder*="metric charts"]').send_keys(metric)
        self.wait(lambda: "model (" not in self.one("body").text)  # what was searched for is left
        self.wait(lambda: self._chrome.find_elements(By.CSS_SELECTOR, ".js-plotly-plot .scatterlayer path.js-line"))
        self._chrome.execute_script(NO_TOOLBARS)
        self.keep("ui_charts")
        return self.one("body").text

    def artifact(self, experiment_id: str, run_id: str, path: str) -> tuple[int, int]:
        """Opens a picture of a run; its size as the browser shows it."""
        self._open(f"#/experiments/{experiment_id}/runs/{run_id}/artifacts/{path}")
        shown = 'img[src^="blob:"], img[src*="get-artifact"], .image-outer-container img'
        self.wait(lambda: self._chrome.execute_script("return arguments[0].naturalWidth", self.one(shown)))
        self.keep("ui_attention")
        image = self.one(shown)
        return int(image.get_property("naturalWidth")), int(image.get_property("naturalHeight"))

    # What all of them need

    def _open(self, page: str) -> None:
        self._chrome.get(f"{self._url}/{page}")
        self._chrome.refresh()  # another address behind the # is no new page, which would read its settings

    def one(self, selector: str, text: str = "") -> WebElement:
        """The first element that is shown and has the text; waits for it."""

        def find() -> WebElement | None:
            found = self._chrome.find_elements(By.CSS_SELECTOR, selector)
            return next((e for e in found if text in e.text and (e.is_displayed() or not text)), None)

        return self.wait(find, f"{selector} {text}")

    def wait(self, condition: Callable[[], object], what: str = "") -> WebElement:
        """Until the condition gives something, which it returns."""

        def asked(_: object) -> object:
            try:
                return condition()
            except WebDriverException:  # the page replaces its elements while it loads
                return None

        return WebDriverWait(self._chrome, PATIENCE_S, 0.3).until(asked, what)  # type: ignore[no-any-return]

    def keep(self, name: str) -> None:
        """A picture of the window without the menu on its left."""
        image = Image.open(BytesIO(self._chrome.get_screenshot_as_png())).convert("RGB")
        image.crop((MENU, 0, *image.size)).save(self._folder / f"{name}.png", optimize=True)


def take(runs: Sequence[RunRecord], pages: MlflowPages) -> None:
    """All pictures of two runs."""
    experiment = connect().get_experiment_by_name(runs[0].dataset)
    if experiment is None:
        raise UserError(f"no experiment {runs[0].dataset}")
    pages.runs(runs_table(connect()), [run.run_id for run in runs])
    pages.compare()
    pages.charts(experiment.experiment_id, "val/")
    attended = next((run for run in runs if connect().list_artifacts(run.run_id, "attention")), None)
    if attended is not None:
        pages.artifact(experiment.experiment_id, attended.run_id, attention_to_show(attended.run_id))


def attention_to_show(run_id: str) -> str:
    """The picture of the first test sentence that the run translates as its reference does, or of the first."""
    client = connect()
    drawn = [file.path for file in client.list_artifacts(run_id, "attention") if "test-" in file.path]
    table = json.loads(Path(client.download_artifacts(run_id, "samples/test.json")).read_text(encoding="utf-8"))
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]  # more than are drawn
    right = (path for path, row in zip(drawn, rows, strict=False) if row["hypothesis"] == row["reference"])
    return next(right, drawn[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs=2)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "pictures")
    arguments = parser.parse_args()
    runs, port = [find_run(run) for run in arguments.run], free_port()
    with serving(tracking_uri(), "127.0.0.1", port), browser() as chrome:
        take(runs, MlflowPages(chrome, f"http://127.0.0.1:{port}", arguments.folder))


if __name__ == "__main__":
    main()
