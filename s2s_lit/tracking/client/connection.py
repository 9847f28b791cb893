"""The store's address and a client of it. Imports neither torch nor Lightning; MLflow only when it is used."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.failures import answering
from s2s_lit.tracking.client.server_answers import limit_answers

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")


def tracking_uri() -> str:
    """`MLFLOW_TRACKING_URI`, else `mlflow.db` in the working directory; read at call time, SQLite paths made absolute.

    Raises:
        UserError: for a bare folder or `file:` URI; MLflow's file store is slow with many runs and refused by it now.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip() or "sqlite:///mlflow.db"
    scheme = uri.partition(":")[0].partition("+")[0]
    if scheme == "sqlite" and not uri.startswith("sqlite:////"):
        prefix, _, path = uri.partition(":///")
        return f"{prefix}:///{Path(path).absolute()}"
    if scheme not in ("http", "https", "databricks", *_DATABASES):
        raise UserError(
            f"MLFLOW_TRACKING_URI={uri} is not a store that runs can be kept in: "
            "give sqlite:///FILE.db, a database's URL or a server's http(s)://HOST:PORT, or unset it for ./mlflow.db."
        )
    return uri


def database_file(uri: str) -> Path | None:
    """The file of an SQLite store, None for any other."""
    return Path(uri.partition(":///")[2]) if uri.startswith("sqlite") else None


def connect(uri: str | None = None) -> MlflowClient:
    """A client of the store, quiet and without telemetry. The first one of a new SQLite file creates it (2 to 5 s).

    Raises:
        UserError: it does not answer, or its file lies in a folder that cannot be written.
    """
    uri = uri or tracking_uri()
    file = database_file(uri)
    if file is not None and file.parent.is_dir() and not os.access(file.parent, os.W_OK):  # MLflow tries for minutes
        raise UserError(
            f"{file.parent} cannot be written, so no runs can be kept there: "
            "work in another folder, or set MLFLOW_TRACKING_URI"
        )
    for name, value in {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        # The outbox retries by itself; a lookup should fail within seconds.
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    }.items():
        os.environ.setdefault(name, value)
    if file is not None:
        # A pooled SQLite connection must not be carried over a fork (ddp_fork); opening one costs 0.1 ms.
        os.environ.setdefault("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
    for noisy, level in {
        "alembic": logging.WARNING,
        "mlflow.store.db.utils": logging.WARNING,
        "urllib3": logging.ERROR,  # each broken connection; the outbox says what matters, once
    }.items():
        logging.getLogger(noisy).setLevel(level)
    if uri.startswith("http"):
        limit_answers()
    from mlflow.tracking import MlflowClient

    with answering(uri), _one_at_a_time(file):
        return MlflowClient(uri)


@contextlib.contextmanager
def _one_at_a_time(file: Path | None) -> Iterator[None]:
    """Two processes that create the tables of one SQLite file at once would break each other: the folder is locked."""
    if file is None:
        yield
        return
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)  # which unlocks it


def ensure_experiment(client: MlflowClient, name: str) -> str:
    """The id of MLflow's experiment `name`, created when missing.

    Artifacts of an SQLite store go to `mlartifacts/` beside its file; a server decides for itself.
    """
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        file = database_file(client.tracking_uri)
        location = None if file is None else (file.parent / "mlartifacts").as_uri()
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException:  # another process was quicker
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)
