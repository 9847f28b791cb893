"""What a run has to say: plain values that can wait as lines of a file and be sent twice without harm."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from s2s_lit.scratch import scratch_folder

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient


class Value(NamedTuple):
    """One metric's value. All four fields travel, so a value sent twice is the same row and stored once."""

    key: str
    value: float
    timestamp_ms: int
    step: int


class Params(NamedTuple):
    """At most 100 parameters."""

    values: Mapping[str, str]


class Tags(NamedTuple):
    """At most 100 tags."""

    values: Mapping[str, str]


class Artifact(NamedTuple):
    """A file of the run: `content`, or a copy of the local `file`, which must stay until it was delivered."""

    path: str
    content: bytes | None = None
    file: str | None = None


class Dataset(NamedTuple):
    """Data that the run has read, in MLflow's terms: `source`, `schema` and `profile` are JSON."""

    name: str
    digest: str
    context: str
    source_type: str
    source: str
    schema: str
    profile: str


class Status(NamedTuple):
    """The end of the run: FINISHED, FAILED or KILLED, and when."""

    status: str
    timestamp_ms: int


class Unreadable(NamedTuple):
    """A line that says nothing: a machine that lost its power can leave zeros. It is refused like what is malformed."""

    line: bytes


Entry = Value | Params | Tags | Artifact | Dataset | Status | Unreadable
_KINDS: dict[str, type[Entry]] = {kind.__name__: kind for kind in (Value, Params, Tags, Artifact, Dataset, Status)}


def encode(entry: Entry) -> bytes:
    """The entry as one line, a JSON list: its kind, then its fields (a file's content in base64)."""
    fields = (base64.b64encode(field).decode() if isinstance(field, bytes) else field for field in entry)
    return json.dumps([type(entry).__name__, *fields]).encode() + b"\n"


def decode(line: bytes) -> Entry:
    """The entry that a line says; `Unreadable` if it says none."""
    try:
        kind, *fields = json.loads(line)
        if kind == "Artifact" and fields[1] is not None:
            fields[1] = base64.b64decode(fields[1])
        return _KINDS[kind](*fields)
    except (ValueError, TypeError, KeyError, IndexError):
        return Unreadable(line)


def deliver(client: MlflowClient, run_id: str, entries: Sequence[Entry]) -> None:
    """Sends one batch, values together or a single other entry. Doing it again changes nothing."""
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

    head = entries[0]
    if isinstance(head, Artifact):
        _deliver_artifact(client, run_id, head)
    elif isinstance(head, Params):
        client.log_batch(run_id, params=[Param(k, v) for k, v in head.values.items()])
    elif isinstance(head, Tags):
        client.log_batch(run_id, tags=[RunTag(k, v) for k, v in head.values.items()])
    elif isinstance(head, Dataset):
        _deliver_dataset(client, run_id, head)
    elif isinstance(head, Status):
        client.set_terminated(run_id, head.status, head.timestamp_ms)
    elif isinstance(head, Unreadable):
        raise MlflowException("the line on the disk is damaged", INVALID_PARAMETER_VALUE)
    else:
        client.log_batch(run_id, metrics=[Metric(*v) for v in entries if isinstance(v, Value)])


def _deliver_artifact(client: MlflowClient, run_id: str, artifact: Artifact) -> None:
    folder, _, name = artifact.path.rpartition("/")
    with scratch_folder() as place:
        named = place / name
        if artifact.file is not None:
            named.symlink_to(Path(artifact.file).resolve(strict=True))
        else:
            named.write_bytes(artifact.content or b"")
        client.log_artifact(run_id, str(named), folder or None)


def _deliver_dataset(client: MlflowClient, run_id: str, data: Dataset) -> None:
    from mlflow import entities
    from mlflow.exceptions import MlflowException
    from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

    found = entities.Dataset(data.name, data.digest, data.source_type, data.source, data.schema, data.profile)
    given = [entities.DatasetInput(found, [entities.InputTag(MLFLOW_DATASET_CONTEXT, data.context)])]
    try:
        client.log_inputs(run_id, given)
    except MlflowException as error:
        if error.error_code != "BAD_REQUEST":
            raise
        client.log_inputs(run_id, given)  # another run has just brought the same data, and the store knows it now
