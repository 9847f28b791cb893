"""What a run has to say, on its way to the store: one queue, one background thread, nothing lost while it is away."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from s2s_lit.tracking.client.failures import of_deleted_run, permanent, reason_of
from s2s_lit.tracking.delivery.entries import (
    Artifact,
    Entry,
    Status,
    Value,
    deliver,
)
from s2s_lit.tracking.delivery.journal import Journal

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

log = logging.getLogger(__name__)

MAX_METRICS = 1000  # MLflow's limit of one call
_LONGEST_UPLOAD_S = 900.0
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 30.0  # before a failing store is tried again


class Outbox:
    """Empties a journal in order, in a daemon thread; `put` costs microseconds and never fails.

    While the store fails, entries stay in the journal, and the thread tries again after 2, 4, 8, ... 30 s. What is left
    when the process ends is sent by another one (`delivery/sync.py`). Files often lie elsewhere than values:
    where one cannot arrive, the later files and the run's status wait behind it, and all else goes on.

    Args:
        client: The store's client.
        journal: Where the entries wait; all of them belong to its run.
        interval_s: How long values are gathered before they are sent. To SQLite a call costs about 9 ms of the
            processor and a value 0.07 ms, so fewer and larger calls leave more of it to the training.
    """

    def __init__(self, *, client: MlflowClient, journal: Journal, interval_s: float = 10.0) -> None:
        self._client, self._journal, self._interval_s = client, journal, interval_s
        self._wake = threading.Event()
        self._progress = threading.Condition()
        self._closed = False
        self._singly = 0
        self.failure: Exception | None = None
        self.refused: list[str] = []
        self._thread = threading.Thread(target=self._run, name="tracking", daemon=True)
        self._thread.start()

    def put(self, *entries: Entry) -> None:
        """Takes entries; returns at once."""
        self._journal.append(entries)

    def __len__(self) -> int:
        """Entries that have not arrived yet."""
        return len(self._journal)

    def flush(self, patience_s: float) -> bool:
        """Waits until all has arrived, or no fewer wait for a failing store since `patience_s`; True when all has.

        A store that answers may take longer: a checkpoint on a slow line is no failure. That new values arrive is no
        progress while files wait.
        """
        with self._progress:
            least, since = len(self), time.monotonic()
            while len(self) and self._thread.is_alive():
                self._wake.set()  # tries at once, whatever pause it is in
                self._progress.wait(0.5)
                if len(self) < least:
                    least, since = len(self), time.monotonic()
                elif time.monotonic() - since > (_LONGEST_UPLOAD_S if self.failure is None else patience_s):
                    break
            return not len(self)

    def close(self, patience_s: float) -> bool:
        """Flushes and ends the thread; True when all has arrived. Otherwise the journal's file stays."""
        done = self.flush(patience_s)
        self._closed = True
        self._wake.set()
        self._thread.join(1.0)
        if not self.hangs:  # else the end of the process unlocks the file
            self._journal.close()
        return done

    @property
    def hangs(self) -> bool:
        """Whether the thread is in a call that did not return when the outbox was closed."""
        return self._closed and self._thread.is_alive()

    def _run(self) -> None:
        pause_s, again_s = self._interval_s, min(self._interval_s, _SHORTEST_PAUSE_S)
        while not self._closed:
            self._wake.wait(pause_s)
            self._wake.clear()
            for aside in (True, False):
                while not self._closed and self._send_some(aside):
                    pass
            if self.failure is None:
                pause_s, again_s = self._interval_s, min(self._interval_s, _SHORTEST_PAUSE_S)
            else:
                pause_s, again_s = again_s, min(2 * again_s, _LONGEST_PAUSE_S)

    def _send_some(self, aside: bool = False) -> bool:
        """Sends the next batch, or what was set aside; False when there is none, or it waits for another try."""
        batch = self._journal.read(1 if self._singly else MAX_METRICS, aside=aside)
        if not batch:
            return False
        passable = isinstance(batch[0], Artifact | Status) and not aside
        if passable and self._journal.has_aside:
            return self._journal.set_aside()
        try:
            deliver(self._client, self._journal.run_id, batch)
        except Exception as error:
            if not permanent(error) or of_deleted_run(error):
                self._note(batch[0], error)
                return passable and self._journal.set_aside()
            if len(batch) > 1:  # one value is malformed; the others must not be lost with it
                self._singly = len(batch)
                return True
            self._refuse(batch[0], error)
        with self._progress:
            self._singly = max(0, self._singly - 1)
            self._journal.advance()
            self._progress.notify_all()
        if self.failure is not None and not self._journal.has_aside:
            log.warning("The tracking store answers again; what waited is being sent.")
            self.failure = None
        return True

    def _refuse(self, entry: Entry, error: Exception) -> None:
        self.refused.append(f"{_name_of(entry)}: {reason_of(error)}")
        log.warning("The tracking store refuses %s", self.refused[-1])

    def _note(self, entry: Entry, error: Exception) -> None:
        if self.failure is None:
            what = f"{_name_of(entry)}: " if isinstance(entry, Artifact) else ""
            log.warning("The tracking store fails (%s%s). What waits is sent again.", what, reason_of(error))
        self.failure = error


def _name_of(entry: Entry) -> str:
    return entry.key if isinstance(entry, Value) else getattr(entry, "path", None) or type(entry).__name__
