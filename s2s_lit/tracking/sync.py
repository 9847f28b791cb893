"""What dead or ended processes left undelivered, sent by a later one. A live process keeps its own files locked."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from s2s_lit.errors import UserError
from s2s_lit.tracking.connection import connect
from s2s_lit.tracking.entries import reason_of
from s2s_lit.tracking.journal import Journal
from s2s_lit.tracking.outbox import Outbox

log = logging.getLogger(__name__)

SAVE_DIR = Path("runs")


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
        patience_s: How long a store that fails is asked again; after that nothing else is sent to it.
    """
    away: set[str] = set()
    for file in sorted(folder.rglob("spool-*.jsonl"), key=lambda file: file.name):
        journal = Journal.reopen(file)
        if journal is None:
            continue
        if uri not in (None, journal.uri) or journal.uri in away or not journal.run_id.startswith(run):
            journal.close()
            continue
        sent = _send(journal, patience_s)
        if sent.missing:
            away.add(journal.uri)
        yield sent


def _send(journal: Journal, patience_s: float) -> Sent:
    waited = len(journal)
    try:
        client = connect(journal.uri)
    except UserError as error:
        journal.close()
        return Sent(journal.run_id, journal.uri, 0, f"{waited} entries wait: {error}", ())
    box = Outbox(client=client, journal=journal)
    box.close(patience_s)
    left = len(journal)
    missing = f"{left} entries wait: {reason_of(box.failure) if box.failure else 'not sent yet'}" if left else ""
    return Sent(journal.run_id, journal.uri, waited - left, missing, tuple(box.refused))
