"""MLflow's model registry: versions of a name, each a run's best checkpoint, and the alias of the one in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.connection import connect
from s2s_lit.tracking.client.failures import answering
from s2s_lit.tracking.client.runs import CHECKPOINT, TASK_TAG, RunRecord

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


def champion(name: str, alias: str) -> ModelVersion | None:
    """The version that has the alias; None while there is none."""
    from mlflow.exceptions import MlflowException

    client = connect()
    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):  # no such name, no such alias
            return None
        raise UserError(f"{client.tracking_uri} does not answer: {error}") from error


def register(run: RunRecord, name: str) -> ModelVersion:
    """The version of `name` that is this run's best checkpoint, made if there is none.

    Raises:
        UserError: the run has not finished, so its files may yet be replaced, or kept no checkpoint; the name is not
            allowed.
    """
    from mlflow.exceptions import MlflowException

    if run.status != "FINISHED":
        raise UserError(
            f"run {run} has not finished: if it goes on, a better checkpoint replaces the one that a version would be. "
            f'Finish it first: make resume RUN={run.run_id[:8]} (ARGS="--trainer.max_epochs=N" ends it sooner)'
        )
    client = connect()
    with answering(client.tracking_uri):
        folder = CHECKPOINT.rpartition("/")[0]
        if all(file.path != CHECKPOINT for file in client.list_artifacts(run.run_id, folder)):
            raise UserError(f"run {run.name} ({run.run_id[:8]}, {run.status}) has no {CHECKPOINT} to be registered")
        source = f"{client.get_run(run.run_id).info.artifact_uri}/{folder}"
    try:
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        for version in client.search_model_versions(f"name = '{name}'"):
            if version.run_id == run.run_id:
                return version
        scored = {} if run.score is None else {run.monitor: f"{run.score:.4f}"}
        tags = {"s2s.experiment": run.experiment, "s2s.dataset": run.dataset, TASK_TAG: run.task, **scored}
        return client.create_model_version(name, source, run_id=run.run_id, tags=tags, description=str(run))
    except MlflowException as error:
        raise UserError(f"NAME={name} cannot be registered: {error}") from error


def set_alias(name: str, alias: str, version: str) -> None:
    """Moves the alias to that version."""
    client = connect()
    with answering(client.tracking_uri):
        client.set_registered_model_alias(name, alias, version)
