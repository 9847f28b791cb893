"""The run as Lightning sees it: a logger that buffers, never fails and leaves the run's status to `tracked_run`."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from s2s_lit.tracking.client.connection import connect, ensure_experiment, tracking_uri
from s2s_lit.tracking.client.failures import answering, reason_of
from s2s_lit.tracking.client.limits import MAX_TAG, chunks, clean, cut, flatten, tokens
from s2s_lit.tracking.client.runs import CHECKPOINT
from s2s_lit.tracking.delivery.entries import Artifact, Dataset, Params, Status, Tags, Value, deliver
from s2s_lit.tracking.delivery.journal import Journal
from s2s_lit.tracking.delivery.outbox import Outbox
from s2s_lit.tracking.delivery.sync import send_left_behind
from s2s_lit.tracking.records.provenance import COMMAND_TAG
from s2s_lit.tracking.rendering import render
from s2s_lit.tracking.run_folder import SAVE_DIR, claim, release, run_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

log = logging.getLogger(__name__)

_PATIENCE_S = 30.0
_QUIET_S = 2.0  # of the end, before it says what it waits for


class MlflowTracker(Logger):
    """One MLflow run. Runs on the same data stand in one MLflow experiment, so they can be compared in one table.

    The run is created by `start` (which `tracked_run` calls) on rank 0 alone; other ranks log nothing and learn
    `run_id` from `share_run_id`. The axis of every metric is the step that Lightning passes: the optimizer's.

    Args:
        dataset: The data set's name; also that of the MLflow experiment.
        experiment: The experiment file's name, such as `bilstm_attn`.
        kind: `train`, `evaluate`, `trial` or `compare`.
        run_name: The name in the UI; by default the experiment's name and the time.
        tags: More tags of the run.
        parent: Id of the run that this one hangs under: the evaluated one, or a sweep's.
        run_id: Attach to this run instead of creating one: what it left behind is sent first, and of each metric the
            steps that it already has are not logged again (a resumed training repeats those since its checkpoint).
        words: The program's words that repeat the run, if this process's own command line does not: that of a trial
            names a file that is gone by then, and `latest` is another run tomorrow.
        save_dir: Folder for the runs' local files; those of one run go to `run_dir`.
    """

    def __init__(
        self,
        *,
        dataset: str,
        experiment: str,
        kind: str = "train",
        run_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        parent: str | None = None,
        run_id: str | None = None,
        words: Sequence[str] | None = None,
        save_dir: str | Path = SAVE_DIR,
    ) -> None:
        super().__init__()
        self.uri = tracking_uri()
        self.dataset = dataset
        self.run_name = run_name or f"{experiment}-{datetime.now():%m%d-%H%M%S}"
        self.run_id = run_id
        self.words = words
        self.resumed = False
        """Whether the run had begun in another process, which said where it comes from."""
        self._experiment = experiment
        self._tags = {"s2s.experiment": experiment, "s2s.dataset": dataset, "s2s.kind": kind}
        self._tags |= {**({} if parent is None else {"mlflow.parentRunId": parent}), **(tags or {})}
        self._save_dir = Path(save_dir)
        self.started = time.time()  # of the run
        self._started = False
        self._journal: Journal | None = None
        self._outbox: Outbox | None = None
        self._owner = os.getpid()
        self._params: dict[str, str] = {}
        self._drift: dict[str, list[str]] = {}
        self._tables: list[dict[str, str]] = []
        self._datasets: set[Dataset] = set()
        self._epoch: float | None = None
        self._logged: dict[str, int] = {}

    @rank_zero_only
    def start(self, tags: Mapping[str, str] | None = None) -> None:
        """Creates the run or attaches to it, RUNNING from now on; a second call does nothing.

        The run's folder is locked until `end`.

        Raises:
            UserError: when the store does not answer, or another process has the run. Later failures of the store are
                survived, but a wrong address should be known before hours of training, not after.
        """
        if self._started:
            return
        client = connect(self.uri)
        with answering(self.uri):
            run = self._create(client, tags or {}) if self.run_id is None else self._attach(client, tags or {})
            self.started = run.info.start_time / 1000
            self._params = dict(run.data.params)
            self._tables = json.loads(run.data.tags.get("mlflow.loggedArtifacts", "[]"))
        self._started = True
        _ = self._box  # before there is a second thread

    def _create(self, client: MlflowClient, tags: Mapping[str, str]) -> Run:
        experiment_id = ensure_experiment(client, self.dataset)
        every = {key: cut(value, MAX_TAG) for key, value in {**self._tags, **tags}.items()}
        run = client.create_run(experiment_id, tags=every, run_name=self.run_name)
        self.run_id = run.info.run_id
        claim(self.run_dir)
        return run

    def _attach(self, client: MlflowClient, tags: Mapping[str, str]) -> Run:
        assert self.run_id is not None
        claim(self.run_dir)
        missing = self._send_left_behind()
        if missing:
            raise OSError(missing)
        run = client.get_run(self.run_id)
        self.run_name = run.info.run_name or self.run_name
        self.resumed = COMMAND_TAG in run.data.tags
        self._logged = {metric.key: metric.step for metric in run.data.to_proto().metrics}
        deliver(client, self.run_id, [Tags(tags)])  # whose process it is comes before that it is running
        client.update_run(self.run_id, status="RUNNING")
        return run

    @rank_zero_only
    def end(self, status: str) -> str:
        """Ends the run as FINISHED, FAILED or KILLED and delivers what waits. Never raises because of the store.

        Returns:
            What is lost, in words; empty when all has arrived or waits on the disk, which is then said.
        """
        if not self._started:
            return ""
        box, ended = self._box, Status(status, int(time.time() * 1000))
        box.put(ended)
        patient = threading.Timer(_QUIET_S, self._say_that_it_waits, [box])
        patient.daemon = True
        patient.start()
        try:
            # FINISHED says that all has arrived, so it comes last; a failure must be known whatever else arrives.
            if status != "FINISHED":
                self._told(ended)
            if box.close(_PATIENCE_S if status == "FINISHED" else _PATIENCE_S / 3):
                self._send_left_behind()
        finally:
            patient.cancel()
            journal, self._journal, self._outbox, self._started = self._journal, None, None, False
            if not box.hangs:
                release(self.run_dir)
        return "" if journal is None else self._lost(box, journal)

    def _say_that_it_waits(self, box: Outbox) -> None:
        log.warning(
            "Delivering %d values or files of run %s to %s. Ctrl-C leaves them for: make sync RUN=%s",
            *(len(box), self.run_id, self.uri, str(self.run_id)[:8]),
        )

    def _send_left_behind(self) -> str:
        """Sends what other processes of this run (the killed one that it resumes, forked ones) have not delivered.

        Returns:
            What still waits, in words.
        """
        return "; ".join(sent.missing for sent in send_left_behind(self.run_dir) if sent.missing)

    def _lost(self, box: Outbox, journal: Journal) -> str:
        """What will not arrive, in words; and says what will, later."""
        if box.refused:
            log.warning("The tracking store refused %d entries: %s", len(box.refused), "; ".join(box.refused[:5]))
        why = reason_of(box.failure) if box.failure else "refused"
        lost = [entry for entry in box.refused if entry.startswith(CHECKPOINT)]
        if journal.in_memory:
            lost.append(f"{len(journal)} values or files")
        if lost:
            missing = f"{lost[0]} of run {self.run_id} could not be delivered to {self.uri}: {why}"
            log.warning(missing)
            return missing
        if len(journal):
            log.warning(
                "%d values or files of run %s wait in %s, for the store %s fails (%s). The next command that finds it "
                "well sends them, or: make sync RUN=%s",
                *(len(journal), self.run_id, journal.file, self.uri, why, str(self.run_id)[:8]),
            )
        return ""

    def mark_failed(self) -> None:
        """Says FAILED of a run that has ended, if the store can be told."""
        self._told(Status("FAILED", int(time.time() * 1000)))

    def _told(self, status: Status) -> bool:
        try:
            deliver(connect(self.uri), str(self.run_id), [status])
        except Exception as error:
            log.warning("Run %s is %s, but the store could not be told yet: %s", self.run_id, status.status, error)
            return False
        return True

    def share_run_id(self, broadcast: Any) -> None:
        """Tells every rank the id that rank 0 knows; `broadcast` is a Lightning strategy's, called on all ranks."""
        self.run_id = broadcast(self.run_id)

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self._experiment

    @property
    def is_writing(self) -> bool:
        """Whether the run has been started by this rank and not ended."""
        return self._started

    @property
    def version(self) -> str | None:
        """The run's id; None before `start`."""
        return self.run_id

    @property
    def save_dir(self) -> str:
        """Folder of the runs' local files."""
        return str(self._save_dir)

    @property
    def run_dir(self) -> Path:
        """This run's own folder: the one Lightning's checkpoints take by default."""
        return run_folder(self._experiment, self.run_id, self._save_dir)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Takes numbers at an optimizer step: of each metric one at a step, and none at an earlier one.

        `epoch`, which Lightning adds to every call, is kept when it changes.
        """
        now, step = int(time.time() * 1000), step or 0
        values: list[Value] = []
        for key, value in metrics.items():
            try:
                number = float(value)
            except (TypeError, ValueError):
                log.warning("%s = %r is no number and was not logged.", key, value)
                continue
            if key == "epoch":
                if number == self._epoch:
                    continue
                self._epoch = number
            key = clean(key)
            if step > self._logged.get(key, -1):
                self._logged[key] = step
                values.append(Value(key, number, now, step))
        self._box.put(*values)

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Lightning's name for `log_params`."""
        self.log_params(params if isinstance(params, Mapping) else vars(params))

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Delivers what waits. Lightning calls this after each of fit, validate and test, so the run goes on.

        Nothing is waited for when one of them has failed: `end` delivers, too, and there Ctrl-C works, which Lightning
        takes away while it ends what was interrupted.
        """
        if status != "success":
            return
        if self._started and self._outbox is not None and self._owner == os.getpid():
            self._outbox.flush(_PATIENCE_S if self._outbox.failure is None else 1.0)

    @rank_zero_only
    def log_params(self, params: Mapping[str, Any]) -> None:
        """Parameters under dotted keys. They never change: another value is noted in the tag `s2s.drift`."""
        fresh: dict[str, str] = {}
        for key, text in (token for dotted, value in flatten(params) for token in tokens(clean(dotted), value)):
            known = self._params.setdefault(key, text)
            if known != text:
                self._drift[key] = [known, text]
            else:
                fresh[key] = text
        for chunk in chunks(fresh):
            self._box.put(Params(chunk))
        if self._drift:
            self.set_tags({"s2s.drift": json.dumps(self._drift, ensure_ascii=False)})

    @rank_zero_only
    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Sets tags; a later value replaces an earlier one."""
        for chunk in chunks({key: cut(value, MAX_TAG) for key, value in tags.items()}):
            self._box.put(Tags(chunk))

    @rank_zero_only
    def log_text(self, text: str, path: str) -> None:
        """A text file of the run."""
        self._box.put(Artifact(path, content=text.encode()))

    @rank_zero_only
    def log_artifact(self, file: str | Path, path: str) -> None:
        """A copy of a local file under `path`; the file must stay until it was delivered."""
        self._box.put(Artifact(path, file=str(Path(file).absolute())))

    @rank_zero_only
    def log_dataset(self, data: Dataset) -> None:
        """Data that the run has read; a second call with the same does nothing."""
        if data not in self._datasets:
            self._datasets.add(data)
            self._box.put(data)

    @rank_zero_only
    def log_figure(self, figure: Figure, path: str) -> None:
        """A matplotlib figure, rendered now."""
        self._box.put(Artifact(path, content=render(figure, path.rpartition(".")[2])))

    @rank_zero_only
    def log_table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], path: str) -> None:
        """A table that the UI shows as one (`path` ends with .json); replaces an earlier one of that path."""
        text = json.dumps({"columns": list(columns), "data": [list(row) for row in rows]}, ensure_ascii=False)
        self.log_text(text, path)
        entry = {"path": path, "type": "table"}
        if entry not in self._tables:
            self._tables.append(entry)
            self.set_tags({"mlflow.loggedArtifacts": json.dumps(self._tables)})

    @property
    def _box(self) -> Outbox:
        """The outbox of this process: threads do not survive a fork, and a child must not send its parent's values."""
        if not self._started:
            raise RuntimeError("Nothing can be logged outside of `with tracked_run(tracker)`.")
        if self._outbox is None or self._owner != os.getpid():
            self._journal = Journal.create(self.run_dir, self.uri, str(self.run_id))
            self._outbox = Outbox(client=connect(self.uri), journal=self._journal)
            self._owner = os.getpid()
        return self._outbox

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_journal": None, "_outbox": None}
