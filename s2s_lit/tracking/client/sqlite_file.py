"""Runs read straight from an SQLite store: importing MLflow takes longer than all else that looks up a run.

Only what this package asks for is understood; for all else, and where the file is not as expected, MLflow is asked.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTED = "3.17"
"""The version of MLflow whose tables these are; a test says when another one is installed."""

_CONDITION = re.compile(r"(tags|attributes)\.`?([\w.]+)`? (=|LIKE) (?:'([^']*)'|\"([^\"]*)\")")
_COLUMNS = {"status": "status", "run_name": "name", "run_id": "run_uuid"}
_TAG = "EXISTS (SELECT 1 FROM tags WHERE tags.run_uuid = runs.run_uuid AND tags.key = ? AND tags.value = ?)"


@dataclass(frozen=True)
class StoredRun:
    """One run as the tables hold it; `started` is in milliseconds since 1970."""

    run_id: str
    name: str
    status: str
    started: int
    artifact_uri: str
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]


def search(file: Path, where: str, limit: int | None = None) -> list[StoredRun] | None:
    """Active runs of all active experiments that match MLflow's filter, newest first; None: MLflow must be asked."""
    condition = _sql(where)
    if condition is None or not file.is_file():
        return None
    sql, values = condition
    query = (
        "SELECT run_uuid, runs.name, status, start_time, artifact_uri FROM runs JOIN experiments USING (experiment_id) "
        "WHERE runs.lifecycle_stage = 'active' AND experiments.lifecycle_stage = 'active'"
        f"{sql} ORDER BY start_time DESC, run_uuid LIMIT ?"
    )
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as store:
            rows = store.execute(query, (*values, -1 if limit is None else limit)).fetchall()
            return [_run(store, *row) for row in rows]
    except sqlite3.Error:  # locked, damaged, or of another version: MLflow says what it is
        return None


def _sql(where: str) -> tuple[str, list[str]] | None:
    """The filter as conditions of SQL and their values; None if it says something else."""
    sql = ""
    values: list[str] = []
    for text in filter(None, where.split(" and ")):
        found = _CONDITION.fullmatch(text)
        if found is None:
            return None
        kind, key, operator = found[1], found[2], found[3]
        value = found[4] if found[4] is not None else found[5]
        if kind == "tags" and operator == "=":
            sql, values = f"{sql} AND {_TAG}", [*values, key, value]
        elif kind == "attributes" and key in _COLUMNS:
            sql, values = f"{sql} AND runs.{_COLUMNS[key]} {operator} ?", [*values, value]
        else:
            return None
    return sql, values


def _run(store: sqlite3.Connection, run_id: str, name: str, status: str, started: int, artifact_uri: str) -> StoredRun:
    def rows(columns: str, table: str) -> Iterator[tuple[Any, ...]]:
        return store.execute(f"SELECT {columns} FROM {table} WHERE run_uuid = ?", (run_id,))

    values = rows("key, value, is_nan", "latest_metrics")
    metrics: dict[str, float] = {key: math.nan if is_nan else float(value) for key, value, is_nan in values}
    params: dict[str, str] = dict(rows("key, value", "params"))
    tags: dict[str, str] = dict(rows("key, value", "tags"))
    return StoredRun(run_id, name, status, started, artifact_uri, metrics, params, tags)
