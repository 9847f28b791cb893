"""How a run ends: FINISHED, FAILED or KILLED on every way out, and KILLED later when nothing was left to say so."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from s2s_lit.errors import Terminated, UserError
from s2s_lit.signals import raised_sigterm
from s2s_lit.tracking.client.connection import connect, database_file
from s2s_lit.tracking.client.runs import RunRecord, list_runs
from s2s_lit.tracking.delivery.sync import Sent, send_left_behind
from s2s_lit.tracking.process_identity import process_alive, process_tags
from s2s_lit.tracking.records.system_metrics import system_metrics
from s2s_lit.tracking.run_folder import claim, release, run_folder

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

    from s2s_lit.tracking.logger import MlflowTracker

log = logging.getLogger(__name__)

_RESERVE_BYTES = 256 * 1024


@contextlib.contextmanager
def tracked_run(tracker: MlflowTracker) -> Iterator[MlflowTracker]:
    """Runs the body as one MLflow run and gives the run the status that the body ended with; the error goes on.

    Ctrl-C and SIGTERM end it KILLED, and leave as `KeyboardInterrupt` (which Lightning turns into a plain `SystemExit`)
    and `Terminated`. Every other exception ends it FAILED. What goes wrong in tracking is only warned of while the body
    runs.

    Raises:
        UserError: the body ended well, but something that it logged is lost; the run is then FAILED. What only waits
            on the disk, because the store is away, is no error: a later command sends it, and the status with it.
    """
    with raised_sigterm():
        tracker.start(process_tags())
        reserve = _reserve(tracker.uri)
        try:
            with system_metrics(tracker, tracker.started) if tracker.is_writing else contextlib.nullcontext():
                yield tracker
        except BaseException as error:
            status = _status(error)
            with contextlib.suppress(Exception):
                if reserve is not None and status == "FAILED":
                    reserve.unlink()  # on a full disk the status, too, needs room to be written
                if status == "FAILED":
                    tracker.set_tags({"s2s.error": f"{type(error).__name__}: {error}"})
            tracker.end(status)
            if _interrupted(error):
                raise KeyboardInterrupt from None
            raise
        missing = tracker.end("FINISHED")
        if missing:
            if reserve is not None:
                reserve.unlink(missing_ok=True)
            tracker.mark_failed()
            raise UserError(f"all went well but the tracking: {missing}. Local files: {tracker.run_dir}")


def _status(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt | Terminated) or _interrupted(error):
        return "KILLED"
    if isinstance(error, GeneratorExit):  # a signal came while `with` was about to tell of the body's end
        return "KILLED"
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return "FINISHED"
    return "FAILED"


def _interrupted(error: BaseException) -> bool:
    """Lightning answers Ctrl-C with `sys.exit(1)` inside the `except KeyboardInterrupt`."""
    return isinstance(error, SystemExit) and isinstance(error.__context__, KeyboardInterrupt)


def _reserve(uri: str) -> Path | None:
    """A little room kept beside an SQLite store, given free when the disk is full."""
    file = database_file(uri)
    if file is None:
        return None
    reserve = file.with_name(file.name + ".reserve")
    try:
        if not reserve.exists():
            reserve.write_bytes(os.urandom(_RESERVE_BYTES))  # random: some file systems store zeros in no room
    except OSError:
        return None
    return reserve


def mark_dead_runs(run_id: str = "") -> list[RunRecord]:
    """Settles what processes left behind: sends what waits on this disk for the store, then sets KILLED what this
    machine's processes left RUNNING when they were killed outright; returns those runs.

    `run_id`, or its beginning, restricts it to one run. Called at the start of every command that reads or writes
    runs; what is wrong with the store is theirs to say. Of another machine of the same name nothing is known.
    """
    with contextlib.suppress(Exception):
        client = connect()
        for sent in send_left_behind(uri=client.tracking_uri, run=run_id):
            _say(sent)
        host = socket.gethostname().replace("'", "")
        running = list_runs(f"attributes.status = 'RUNNING' and tags.`s2s.host` = '{host}'", client=client)
        dead = [run for run in running if run.run_id.startswith(run_id) and _dead(run)]
        return [run for run in dead if _set_killed(client, run)]
    return []


def _set_killed(client: MlflowClient, run: RunRecord) -> bool:
    """Sets a run of a dead process KILLED, unless another process goes on with it by now; whether it did."""
    folder = run_folder(run.experiment, run.run_id)
    try:
        if folder.is_dir():
            claim(folder)
        now = RunRecord.of(client.get_run(run.run_id))
        if now.status != "RUNNING" or not _dead(now):
            return False
        client.set_terminated(run.run_id, "KILLED")
    except UserError:  # claimed
        return False
    finally:
        release(folder)
    return True


def _say(sent: Sent) -> None:
    if sent.count:
        log.warning("%d entries of run %s, which waited on this disk, were sent.", sent.count, sent.run_id)
    if sent.missing:
        log.warning("Run %s: %s", sent.run_id, sent.missing)
    if sent.refused:
        log.warning("The store refused %d entries of run %s, which are lost.", len(sent.refused), sent.run_id)


def _dead(run: RunRecord) -> bool:
    record = {tag.removeprefix("s2s."): value for tag, value in run.tags.items()}
    with contextlib.suppress(KeyError, ValueError):  # it does not say whose it is
        return process_alive(record) is False
    return False
