"""How a run is found again. Imports neither torch nor Lightning; MLflow only when it is used."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from s2s_lit.errors import UserError
from s2s_lit.tracking.connection import answering, connect

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

CHECKPOINT = "checkpoints/best.ckpt"
"""Artifact path of a run's best checkpoint."""

MONITOR_TAG, MODE_TAG = "s2s.monitor", "s2s.monitor.mode"
"""Tags that say by which score a run chose its best checkpoint, and whether `max` or `min` of it is best."""


def best_key(score: str) -> str:
    """`best/NAME` of `val/NAME`: the kept checkpoint's value; `val/NAME` itself shows the last one."""
    return f"best/{score.removeprefix('val/')}"


_MIN_PREFIX = 6


@dataclass(frozen=True)
class RunRecord:
    """One run as it lies in the store. `score` is what its best checkpoint has in `monitor`, its own choice."""

    run_id: str
    name: str
    experiment: str
    dataset: str
    task: str
    kind: str
    status: str
    started: datetime
    monitor: str
    mode: str
    score: float | None
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]

    @classmethod
    def of(cls, run: Run) -> RunRecord:
        """The record of an MLflow run."""
        tags, metrics = dict(run.data.tags), dict(run.data.metrics)
        monitor = tags.get(MONITOR_TAG, "val/bleu")
        return cls(
            run_id=run.info.run_id,
            name=run.info.run_name or run.info.run_id[:8],
            experiment=tags.get("s2s.experiment", ""),
            dataset=tags.get("s2s.dataset", ""),
            task=tags.get("s2s.task", ""),
            kind=tags.get("s2s.kind", ""),
            status=run.info.status,
            started=datetime.fromtimestamp(run.info.start_time / 1000),
            monitor=monitor,
            mode=tags.get(MODE_TAG, "max"),
            score=metrics.get(best_key(monitor), metrics.get(monitor)),
            metrics=metrics,
            params=dict(run.data.params),
            tags=tags,
        )

    def __str__(self) -> str:
        score = "" if self.score is None else f"  {self.monitor} {self.score:.2f}"
        return f"{self.run_id[:8]}  {self.name} ({self.experiment} on {self.dataset}, {self.status}){score}"


def list_runs(where: str = "", *, client: MlflowClient | None = None, limit: int = 1000) -> list[RunRecord]:
    """Runs of all experiments that match MLflow's filter `where`, newest first."""
    client = client or connect()
    with answering(client.tracking_uri):
        ids = [e.experiment_id for e in client.search_experiments()]
        runs: list[RunRecord] = []
        token: str | None = None
        while ids and len(runs) < limit:
            page = client.search_runs(ids, where, max_results=100, order_by=["start_time DESC"], page_token=token)
            runs += [RunRecord.of(run) for run in page]
            token = page.token
            if not token:
                break
    return runs


def find_run(selector: str, *, dataset: str | None = None) -> RunRecord:
    """The run a user means.

    Args:
        selector: `latest` (newest finished training run), `best` (of the finished training runs), an
            experiment's name (its best finished run), or a run's id or name; 6 characters of an id are enough.
            An evaluation's id stands for the run that it evaluated. Best is who has the best score in what the newest
            of the candidates monitors (`best/bleu`, unless an experiment says otherwise).
        dataset: Look only at runs on this data set. BLEU on different data sets cannot be compared, so the answer to
            `best` should be shown with its `dataset`.

    Raises:
        UserError: when nothing fits, listing what exists; or when a cut id fits several runs.
    """
    client = connect()
    trained = [r for r in list_runs("tags.`s2s.kind` = 'train'", client=client) if dataset in (None, r.dataset)]
    finished = [r for r in trained if r.status == "FINISHED"]
    if selector == "latest" and finished:
        return finished[0]
    if selector == "best" and any(r.score is not None for r in finished):
        return _best(finished)
    named = [r for r in finished if r.experiment == selector]
    if named:
        return _best(named)
    by_id = _by_id(selector, dataset, client)
    if by_id is not None:
        trained_as = by_id.tags.get("mlflow.parentRunId") if by_id.kind == "evaluate" else None
        return find_run(trained_as) if trained_as else by_id
    raise UserError(_nothing_found(selector, dataset, trained, client.tracking_uri))


def _best(runs: Sequence[RunRecord]) -> RunRecord:
    """By the newest one's monitor; runs that know nothing of it come last."""
    newest = next((run for run in runs if run.score is not None), runs[0])
    monitor, sign = newest.monitor, 1 if newest.mode == "max" else -1

    def rank(run: RunRecord) -> tuple[float, datetime]:
        score = run.score if run.monitor == monitor else run.metrics.get(best_key(monitor))
        return (float("-inf") if score is None else sign * score, run.started)

    return max(runs, key=rank)


def _by_id(selector: str, dataset: str | None, client: MlflowClient) -> RunRecord | None:
    """The run with this id, name or unique beginning of an id, whatever its kind and status."""
    everything = [r for r in list_runs(client=client, limit=20_000) if dataset in (None, r.dataset)]
    exact = [r for r in everything if selector in (r.run_id, r.name)]
    if exact:
        return exact[0]
    cut = [r for r in everything if r.run_id.startswith(selector)] if len(selector) >= _MIN_PREFIX else []
    if len(cut) > 1:
        raise UserError(f"RUN={selector} is the beginning of {len(cut)} run ids; give more of it:\n" + _lines(cut))
    return cut[0] if cut else None


def _lines(runs: Sequence[RunRecord]) -> str:
    return "\n".join(f"  {r}" for r in runs[:10])


def _nothing_found(selector: str, dataset: str | None, trained: Sequence[RunRecord], uri: str) -> str:
    place = f"{uri}" + ("" if dataset is None else f" on data {dataset}")
    if not trained:
        return f"RUN={selector}: there is no training run in {place} yet. Train one first: make train EXP=bilstm_attn"
    why = "no training run has finished" if selector in ("latest", "best") else "no such run or experiment"
    return (
        f"RUN={selector}: {why} in {place}. Give latest, best, an experiment's name "
        f"({', '.join(sorted({r.experiment for r in trained}))}) or a run's id:\n" + _lines(trained)
    )


def download_checkpoint(run: RunRecord) -> Path:
    """A local file with the run's best checkpoint; copies from a server are kept in the user's cache.

    Only a finished run's copy is used again: one that was stopped can go on and find a better checkpoint.

    Raises:
        UserError: when the run kept none.
    """
    finished = run.status == "FINISHED"
    cached = _cache() / run.run_id / (Path(CHECKPOINT).name if finished else "stopped.ckpt")
    if finished and cached.is_file():
        return cached
    client = connect()
    try:
        local = _local_artifact(client.get_run(run.run_id).info.artifact_uri)
        if local is not None and local.is_file():
            return local
        cached.parent.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cached.parent.parent) as folder:
            path = Path(client.download_artifacts(run.run_id, CHECKPOINT, folder))
            cached.parent.mkdir(exist_ok=True)
            os.replace(path, cached)
    except Exception as error:  # every kind of artifact store has its own
        raise UserError(
            f"Run {run.name} ({run.run_id[:8]}, {run.status}) has no {CHECKPOINT} ({type(error).__name__}): "
            "it ended before its first validation, or its artifacts were moved or deleted. Choose another run."
        ) from error
    return cached


def _local_artifact(artifact_uri: str) -> Path | None:
    """Where the checkpoint itself lies, if artifacts are files of this machine."""
    from mlflow.utils.file_utils import local_file_uri_to_path

    local = artifact_uri.startswith(("file:", "/"))
    return Path(local_file_uri_to_path(artifact_uri)) / CHECKPOINT if local else None


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "s2s_lit" / "runs"
