"""What dead or ended processes left undelivered, sent by a later one. A live process keeps its own files locked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.connection import connect
from s2s_lit.tracking.client.failures import answering, reason_of
from s2s_lit.tracking.delivery.journal import Journal
from s2s_lit.tracking.delivery.outbox import Outbox
from s2s_lit.tracking.run_folder import SAVE_DIR

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient


@dataclass(frozen=True)
class Sent:
    """What became of one file of entries.

    Attributes:
        run_id: Whose they are.
        uri: The store.
        count: Entries that have arrived.
        missing: Entries that still wait, and why; empty when all is there.
        refused: What the store would not take, and why.
    """

    run_id: str
    uri: str
    count: int
    missing: str
    refused: tuple[str, ...]


def send_left_behind(
    folder: Path = SAVE_DIR, *, uri: str | None = None, run: str = "", patience_s: float = 2.0
) -> Iterator[Sent]:
    """Sends what lies under `folder`, oldest first; each file is removed when all of it has arrived.

    Args:
        folder: The runs' local files, or one run's.
        uri: Only what is for this store.
        run: Only what is of the run whose id begins so.
        patience_s: How long a store that takes nothing is asked again; after that it is tried once for each further
            file. To a store that does not answer at all nothing else is sent.
    """
    away: set[str] = set()
    failing: set[str] = set()
    for file in sorted(folder.rglob("spool-*.jsonl"), key=lambda file: file.name):
        journal = Journal.reopen(file)
        if journal is None:
            continue
        if uri not in (None, journal.uri) or journal.uri in away or not journal.run_id.startswith(run):
            journal.close()
            continue
        try:
            client = connect(journal.uri)
            gone = _gone(client, journal)
        except UserError as error:
            away.add(journal.uri)
            yield _unsent(journal, str(error))
            continue
        if gone:
            yield _unsent(journal, gone)
            continue
        sent = _send(client, journal, 0.0 if journal.uri in failing else patience_s)
        if sent.missing:
            failing.add(journal.uri)
        yield sent


def _gone(client: MlflowClient, journal: Journal) -> str:
    """Why the store will not take what is of this run, in words; empty if it knows the run.

    The entries stay, for a store that was exchanged or restored for a while must not cost what it did not know.

    Raises:
        UserError: it does not answer.
    """
    from mlflow.exceptions import MlflowException

    found = "there is no such run"
    with answering(journal.uri):
        try:
            if client.get_run(journal.run_id).info.lifecycle_stage == "active":
                return ""
            found = "the run was deleted"
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
    return f"{found} in {journal.uri}. If it is not to come back, delete {journal.file}"


def _unsent(journal: Journal, why: str) -> Sent:
    missing = f"{len(journal)} entries wait: {why}"
    journal.close()
    return Sent(journal.run_id, journal.uri, 0, missing, ())


def _send(client: MlflowClient, journal: Journal, patience_s: float) -> Sent:
    waited = len(journal)
    box = Outbox(client=client, journal=journal)
    box.close(patience_s)
    left = len(journal)
    missing = f"{left} entries wait: {reason_of(box.failure) if box.failure else 'not sent yet'}" if left else ""
    return Sent(journal.run_id, journal.uri, waited - left - len(box.refused), missing, tuple(box.refused))
