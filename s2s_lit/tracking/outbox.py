"""What a run has to say, on its way to the store: one queue, one background thread, nothing lost while it is away."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

log = logging.getLogger(__name__)

MAX_METRICS = 1000  # MLflow's limit of one call
_LONGEST_UPLOAD_S = 900.0
_LONGEST_PAUSE_S = 30.0


class Value(NamedTuple):
    """One metric's value. All four fields travel, so a value sent twice is the same row and stored once."""

    key: str
    value: float
    timestamp_ms: int
    step: int


@dataclass(frozen=True)
class Params:
    """At most 100 parameters."""

    values: Mapping[str, str]


@dataclass(frozen=True)
class Tags:
    """At most 100 tags."""

    values: Mapping[str, str]


@dataclass(frozen=True)
class Artifact:
    """A file of the run: `content`, or a copy of the local `file`, which must stay until the outbox is flushed."""

    path: str
    content: bytes | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Status:
    """The end of the run: FINISHED, FAILED or KILLED, and when."""

    status: str
    timestamp_ms: int


Entry = Value | Params | Tags | Artifact | Status


def deliver(client: MlflowClient, run_id: str, entries: Sequence[Entry]) -> None:
    """Sends one batch, values together or a single other entry. Doing it again changes nothing."""
    from mlflow.entities import Metric, Param, RunTag

    head = entries[0]
    if isinstance(head, Artifact):
        _deliver_artifact(client, run_id, head)
    elif isinstance(head, Params):
        client.log_batch(run_id, params=[Param(k, v) for k, v in head.values.items()])
    elif isinstance(head, Tags):
        client.log_batch(run_id, tags=[RunTag(k, v) for k, v in head.values.items()])
    elif isinstance(head, Status):
        client.set_terminated(run_id, head.status, head.timestamp_ms)
    else:
        client.log_batch(run_id, metrics=[Metric(*v) for v in entries if isinstance(v, Value)])


def _deliver_artifact(client: MlflowClient, run_id: str, artifact: Artifact) -> None:
    folder, _, name = artifact.path.rpartition("/")
    with tempfile.TemporaryDirectory() as place:
        named = Path(place) / name
        if artifact.file is not None:
            named.symlink_to(artifact.file.resolve(strict=True))
        else:
            named.write_bytes(artifact.content or b"")
        client.log_artifact(run_id, str(named), folder or None)


class Outbox:
    """A queue that a daemon thread empties in order; `put` costs a microsecond and never fails.

    While the store fails, entries stay here, in memory, and the thread tries again after 2, 4, 8, ... 30 s. Entries are
    plain values, so that a spool on disk can take them in `put` and `deliver` can be given them in another process.

    Args:
        client: The store's client.
        run_id: The run that all entries belong to.
        interval_s: How long values are gathered before they are sent.
    """

    def __init__(self, *, client: MlflowClient, run_id: str, interval_s: float = 2.0) -> None:
        self._client, self._run_id, self._interval_s = client, run_id, interval_s
        self._queue: deque[Entry] = deque()
        self._sending: list[Entry] = []
        self._wake = threading.Event()
        self._progress = threading.Condition()
        self._closed = False
        self._sent = 0
        self._singly = 0
        self.failure: Exception | None = None
        self.refused: list[str] = []
        self._thread = threading.Thread(target=self._run, name="tracking", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Takes one entry; returns at once."""
        self._queue.append(entry)

    def __len__(self) -> int:
        """Entries that have not arrived yet."""
        return len(self._queue) + len(self._sending)

    def flush(self, patience_s: float) -> bool:
        """Waits until all has arrived, or until a failing store took nothing for `patience_s`; True when all has.

        A store that answers may take longer: a checkpoint on a slow line is no failure.
        """
        with self._progress:
            seen, since = self._sent, time.monotonic()
            while len(self) and self._thread.is_alive():
                self._wake.set()  # tries at once, whatever pause it is in
                self._progress.wait(0.5)
                if self._sent != seen:
                    seen, since = self._sent, time.monotonic()
                elif time.monotonic() - since > (_LONGEST_UPLOAD_S if self.failure is None else patience_s):
                    break
            return not len(self)

    def close(self, patience_s: float) -> bool:
        """Flushes and ends the thread; True when all has arrived."""
        done = self.flush(patience_s)
        self._closed = True
        self._wake.set()
        if done:
            self._thread.join(1.0)
        return done

    def _run(self) -> None:
        pause_s = self._interval_s
        while not self._closed:
            self._wake.wait(pause_s)
            self._wake.clear()
            while len(self) and not self._closed and self._send_some():
                pass
            pause_s = self._interval_s if self.failure is None else min(2 * pause_s, _LONGEST_PAUSE_S)

    def _send_some(self) -> bool:
        """Sends the next batch; False when the store failed and the batch waits for another try."""
        with self._progress:
            self._sending = self._sending or self._take()
        try:
            deliver(self._client, self._run_id, self._sending)
        except Exception as error:
            if not permanent(error):
                self._note(error)
                return False
            if len(self._sending) > 1:
                self._split()
                return True
            self._refuse(self._sending[0], error)
        if self.failure is not None:
            log.warning("The tracking store answers again; what waited is being sent.")
            self.failure = None
        with self._progress:
            self._sent += len(self._sending)
            self._sending = []
            self._progress.notify_all()
        return True

    def _take(self) -> list[Entry]:
        """Values that stand together, as many as one call carries, or one other entry."""
        batch = [self._queue.popleft()]
        limit = MAX_METRICS if self._singly == 0 else 1
        self._singly = max(0, self._singly - 1)
        while len(batch) < limit and isinstance(batch[0], Value) and self._queue and isinstance(self._queue[0], Value):
            batch.append(self._queue.popleft())
        return batch

    def _split(self) -> None:
        """One value of the batch is malformed; the others must not be lost with it, so the batch goes one by one."""
        with self._progress:
            self._singly = len(self._sending)
            self._queue.extendleft(reversed(self._sending))
            self._sending = []

    def _refuse(self, entry: Entry, error: Exception) -> None:
        what = entry.key if isinstance(entry, Value) else getattr(entry, "path", None) or type(entry).__name__
        self.refused.append(f"{what}: {reason_of(error)}")
        log.warning("The tracking store refuses %s", self.refused[-1])

    def _note(self, error: Exception) -> None:
        if self.failure is None:
            log.warning("The tracking store fails (%s). Values wait and are sent again.", reason_of(error))
        self.failure = error


def permanent(error: Exception) -> bool:
    """True when sending the same thing again cannot help: the store calls it malformed, or the file is gone."""
    code = getattr(error, "error_code", None)
    return isinstance(error, FileNotFoundError) or code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")


def reason_of(error: Exception) -> str:
    """One line; SQLAlchemy names the error proper after a line of its own."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return next((line for line in lines if "Error)" in line), lines[0])[:200]
