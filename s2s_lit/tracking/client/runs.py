"""How a run is found again. Imports neither torch nor Lightning; MLflow only when it is used."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from s2s_lit.errors import UserError, did_you_mean
from s2s_lit.scratch import scratch_folder
from s2s_lit.tracking.client import sqlite_file
from s2s_lit.tracking.client.connection import connect, database_file, tracking_uri
from s2s_lit.tracking.client.failures import answering
from s2s_lit.tracking.client.limits import readable
from s2s_lit.tracking.client.sqlite_file import StoredRun

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

CHECKPOINT = "checkpoints/best.ckpt"
"""Artifact path of a run's best checkpoint."""

TASK_TAG = "s2s.task"
"""Tag with what a run learns: its task's name."""

MONITOR_TAG, MODE_TAG = "s2s.monitor", "s2s.monitor.mode"
"""Tags that say by which score a run chose its best checkpoint, and whether `max` or `min` of it is best."""


def best_key(score: str) -> str:
    """`best/NAME` of `val/NAME`: the kept checkpoint's value; `val/NAME` itself shows the last one."""
    return f"best/{score.removeprefix('val/')}"


_MIN_PREFIX = 6
_PAGE = 1000


@dataclass(frozen=True)
class RunRecord:
    """One run as it lies in the store.

    `score` is what its best checkpoint has in `monitor`, its own choice. Runs that train nothing have no monitor, and
    neither have those of early versions: of these the newest run's monitor decides which is best.
    """

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
    artifact_uri: str

    @classmethod
    def of(cls, run: Run) -> RunRecord:
        """The record of an MLflow run."""
        info, data = run.info, run.data
        stored = StoredRun(
            info.run_id, info.run_name, info.status, info.start_time, info.artifact_uri,
            dict(data.metrics), dict(data.params), dict(data.tags),
        )  # fmt: skip
        return cls.of_stored(stored)

    @classmethod
    def of_stored(cls, run: StoredRun) -> RunRecord:
        """The record of a run, whoever has read it."""
        tags, metrics = run.tags, run.metrics
        monitor = tags.get(MONITOR_TAG, "")
        return cls(
            run_id=run.run_id,
            name=run.name or run.run_id[:8],
            experiment=tags.get("s2s.experiment", ""),
            dataset=tags.get("s2s.dataset", ""),
            task=tags.get(TASK_TAG, ""),
            kind=tags.get("s2s.kind", ""),
            status=run.status,
            started=datetime.fromtimestamp(run.started / 1000),
            monitor=monitor,
            mode=tags.get(MODE_TAG, "max"),
            score=metrics.get(best_key(monitor), metrics.get(monitor)),
            metrics=metrics,
            params={readable(key): value for key, value in run.params.items()},  # early versions had longer keys
            tags=tags,
            artifact_uri=run.artifact_uri,
        )

    def __str__(self) -> str:
        score = "" if self.score is None else f"  {self.monitor} {self.score:.2f}"
        return f"{self.run_id[:8]}  {self.name} ({self.experiment} on {self.dataset}, {self.status}){score}"


def list_runs(where: str = "", *, client: MlflowClient | None = None, limit: int | None = None) -> list[RunRecord]:
    """Runs of all experiments that match MLflow's filter `where`, newest first; all of them, or the first `limit`."""
    file = database_file(client.tracking_uri if client else tracking_uri())
    stored = None if file is None else sqlite_file.search(file, where, limit)
    if stored is not None:
        return [RunRecord.of_stored(run) for run in stored]
    client = client or connect()
    with answering(client.tracking_uri):
        ids = [e.experiment_id for e in client.search_experiments()]
        runs: list[RunRecord] = []
        token: str | None = None
        while ids:
            count = _PAGE if limit is None else min(_PAGE, limit - len(runs))
            page = client.search_runs(ids, where, max_results=count, order_by=["start_time DESC"], page_token=token)
            runs += [RunRecord.of(run) for run in page]
            token = page.token
            if not token or len(runs) == limit:
                break
    return runs


def find_run(selector: str, *, dataset: str | None = None) -> RunRecord:
    """The run a user means.

    Args:
        selector: `latest` (newest finished training run), `best` (of the finished training runs), an
            experiment's name (its best finished run), or a run's id or name; 6 characters of an id are enough.
            An evaluation's id stands for the run that it evaluated. Monitors are not mixed: one score ranks all
            candidates, that which the newest of them monitors. A run that chose its checkpoint by another score is
            ranked by what this checkpoint has in it.
        dataset: Look only at runs on this data set. Scores on different data sets cannot be compared, so the answer
            to `best` should be shown with its `dataset`.

    Raises:
        UserError: when nothing fits, listing what exists; or when a cut id fits several runs.
    """
    on = "" if dataset is None else f" and tags.`s2s.dataset` = {_quoted(dataset)}"
    finished = f"tags.`s2s.kind` = 'train' and attributes.status = 'FINISHED'{on}"
    if selector == "latest" and (newest := list_runs(finished, limit=1)):
        return newest[0]
    if selector == "best":
        candidates = list_runs(finished)
        if any(run.score is not None for run in candidates):
            return _best(candidates)
    by_id = _by_whole_id(selector, dataset)
    if by_id is None:
        named = list_runs(f"{finished} and tags.`s2s.experiment` = {_quoted(selector)}")
        if named:
            return _best(named)
        by_id = _by_name_or_beginning(selector, on)
    if by_id is not None:
        trained_as = by_id.tags.get("mlflow.parentRunId") if by_id.kind == "evaluate" else None
        return find_run(trained_as) if trained_as else by_id
    trained = list_runs(f"tags.`s2s.kind` = 'train'{on}")
    every = [] if trained or dataset is None else list_runs("tags.`s2s.kind` = 'train'")
    others = sorted({run.dataset for run in every})
    raise UserError(_nothing_found(selector, dataset, trained, others, tracking_uri()))


def _best(runs: Sequence[RunRecord]) -> RunRecord:
    """By the newest one's monitor; runs that know nothing of it come last."""
    newest = next((run for run in runs if run.score is not None), runs[0])
    monitor, sign = newest.monitor, 1 if newest.mode == "max" else -1

    def rank(run: RunRecord) -> tuple[float, datetime]:
        score = run.score if run.monitor == monitor else run.metrics.get(best_key(monitor))
        return (float("-inf") if score is None else sign * score, run.started)

    return max(runs, key=rank)


def _by_whole_id(selector: str, dataset: str | None) -> RunRecord | None:
    """The run with this id, whatever its kind and status: one question, however many runs there are."""
    if re.fullmatch("[0-9a-f]{32}", selector) is None:
        return None
    found = list_runs(f"attributes.run_id = '{selector}'", limit=1)
    return found[0] if found and dataset in (None, found[0].dataset) else None


def _by_name_or_beginning(selector: str, on: str) -> RunRecord | None:
    """The newest run with this name, or the one whose id begins so, whatever its kind and status."""
    named = list_runs(f"attributes.run_name = {_quoted(selector)}{on}", limit=1)
    if named:
        return named[0]
    if re.fullmatch(f"[0-9a-f]{{{_MIN_PREFIX},31}}", selector) is None:
        return None
    begun = list_runs(f"attributes.run_id LIKE '{selector}%'{on}")
    if len(begun) > 1:
        raise UserError(f"RUN={selector} is the beginning of {len(begun)} run ids; give more of it:\n" + _lines(begun))
    return begun[0] if begun else None


def _quoted(text: str) -> str:
    """As MLflow's filters take it; what has both quotes is no name of ours."""
    quote = '"' if "'" in text else "'"
    return quote + text.replace(quote, "") + quote


def _lines(runs: Sequence[RunRecord]) -> str:
    return "\n".join(f"  {r}" for r in runs[:10])


def _nothing_found(
    selector: str, dataset: str | None, trained: Sequence[RunRecord], others: Sequence[str], uri: str
) -> str:
    place = f"{uri}" + ("" if dataset is None else f" on data {dataset}")
    if not trained and others:
        hint = did_you_mean(str(dataset), others, prefix="DATA=") or "."
        there = f"Runs are on: {', '.join(others)}"
        return f"RUN={selector}: there is no training run in {place} (DATA={dataset}){hint} {there}"
    if not trained:
        return f"RUN={selector}: there is no training run in {place} yet. Train one first: make train EXP=bilstm_attn"
    names = sorted({r.experiment for r in trained})
    if selector in ("latest", "best"):
        why, hint = f"no training run has finished{' with a score' if selector == 'best' else ''}", ""
    else:
        why, hint = "no such run or experiment", did_you_mean(selector, ["latest", "best", *names], prefix="RUN=")
    return (
        f"RUN={selector}: {why} in {place}{hint or '.'} Give latest, best, an experiment's name "
        f"({', '.join(names)}) or a run's id:\n" + _lines(trained)
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
    local = _local_artifact(run.artifact_uri)
    if local is not None and local.is_file():
        return local
    client = connect()
    try:
        cached.parent.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(cached.parent.parent) as folder:
            path = Path(client.download_artifacts(run.run_id, CHECKPOINT, str(folder)))
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
    if not artifact_uri.startswith(("file:", "/")):
        return None
    folder = url2pathname(urlsplit(artifact_uri).path) if artifact_uri.startswith("file:") else artifact_uri
    return Path(folder) / CHECKPOINT


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "s2s_lit" / "runs"
