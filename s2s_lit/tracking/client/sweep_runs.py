"""The runs of a sweep: one that stands for the whole, one for each trial below it, one for each seed below that.

They are made before anything is trained, so that whatever dies has left a trace, and what came of a training stands in
its run before the study is told: a supervisor that dies in between finds it there.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from s2s_lit.errors import UserError
from s2s_lit.scratch import scratch_folder
from s2s_lit.tracking.client.connection import connect, ensure_experiment
from s2s_lit.tracking.client.failures import answering, permanent, unusable_answer
from s2s_lit.tracking.client.limits import MAX_TAG, cut
from s2s_lit.tracking.client.runs import RunRecord, list_runs
from s2s_lit.tracking.process_identity import process_tags

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

STUDY = "s2s.study"
TRIAL = "s2s.trial"
SEED = "s2s.seed"
PARENT = "mlflow.parentRunId"
POINT = "s2s.point"
VALUES = "s2s.values"
"""What a training found for each objective, in JSON; with status FINISHED it is complete."""
PRUNED = "s2s.pruned"
RETRIES = "s2s.retries"
STATE = "s2s.state"
ORPHAN = "s2s.orphan"
ERROR = "s2s.error"

_REFUSALS = ("RESOURCE_DOES_NOT_EXIST", "PERMISSION_DENIED")
_PAUSE_S = 10.0

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What came of a finished training; a pruned one has no values."""

    pruned: bool
    values: dict[str, float]


class SweepRuns:
    """The MLflow side of a sweep. A store that does not answer is waited for; what it refuses is an error at once.

    Who is told to wait no longer (`waiting_with`) gets an error, then and from each further call.

    Args:
        dataset: The data set, and MLflow's experiment.
        experiment: The experiment that is varied.
        study: The study's name.
    """

    def __init__(self, *, dataset: str, experiment: str, study: str) -> None:
        self._client = connect()
        self._meanwhile: Callable[[], bool] = lambda: True
        self._given_up: UserError | None = None
        self._dataset, self._study = dataset, study
        self._tags = {"s2s.experiment": experiment, "s2s.dataset": dataset, STUDY: study}
        with answering(self._client.tracking_uri):
            self._experiment_id = ensure_experiment(self._client, dataset)

    @contextlib.contextmanager
    def waiting_with(self, meanwhile: Callable[[], bool]) -> Iterator[None]:
        """Within it, `meanwhile` says every few seconds that the store does not answer whether to wait for it."""
        before, self._meanwhile = self._meanwhile, meanwhile
        try:
            yield
        finally:
            self._meanwhile = before

    def create(self, kind: str, name: str, parent: str | None = None, tags: Mapping[str, str] | None = None) -> str:
        """A new run, RUNNING; its id."""
        every = {**self._tags, "s2s.kind": kind, **process_tags(), **(tags or {})}
        every |= {} if parent is None else {PARENT: parent}
        every = {key: cut(value, MAX_TAG) for key, value in every.items()}
        run = self._patiently(lambda: self._client.create_run(self._experiment_id, tags=every, run_name=name))
        return str(run.info.run_id)

    def find(self, parent: str, tags: Mapping[str, str]) -> str | None:
        """The run below `parent` with these tags, whatever became of it."""
        where = " and ".join(f"tags.`{key}` = '{value}'" for key, value in {PARENT: parent, **tags}.items())
        found = self._patiently(lambda: self._client.search_runs([self._experiment_id], where, max_results=1))
        return str(found[0].info.run_id) if found else None

    def below(self, parent: str) -> list[RunRecord]:
        """The runs directly below one."""
        return self._patiently(lambda: list_runs(f"tags.`{PARENT}` = '{parent}'", client=self._client, limit=100_000))

    def of_study(self) -> list[RunRecord]:
        """All runs that say they belong to the study."""
        return self._patiently(
            lambda: list_runs(f"tags.`{STUDY}` = '{self._study}'", client=self._client, limit=100_000)
        )

    def record(self, run_id: str) -> RunRecord:
        """One run.

        Raises:
            UserError: there is none of that id in this store.
        """
        from mlflow.exceptions import MlflowException

        try:
            return RunRecord.of(self._client.get_run(run_id))
        except MlflowException as error:
            raise UserError(
                f"the runs of study {self._study} are not in {self._client.tracking_uri} (no run {run_id[:8]}): set "
                "MLFLOW_TRACKING_URI to the store in which it was begun"
            ) from error

    def outcome(self, run_id: str) -> Outcome | None:
        """What came of a training, if it ended and all of it has arrived."""
        run = self._patiently(lambda: RunRecord.of(self._client.get_run(run_id)))
        if run.status != "FINISHED":
            return None
        if run.tags.get(PRUNED) == "true":
            return Outcome(pruned=True, values={})
        return Outcome(pruned=False, values=json.loads(run.tags[VALUES])) if VALUES in run.tags else None

    def resume(self, run_id: str) -> None:
        """RUNNING again, by this process."""
        self._patiently(lambda: self._client.update_run(run_id, status="RUNNING"))
        self.tag(run_id, process_tags())

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Sets tags."""
        from mlflow.entities import RunTag

        entities = [RunTag(key, cut(value, MAX_TAG)) for key, value in tags.items()]
        self._patiently(lambda: self._client.log_batch(run_id, tags=entities))

    def metrics(self, run_id: str, values: Mapping[str, float], step: int = 0) -> None:
        """Sets numbers."""
        from mlflow.entities import Metric

        entities = [Metric(key, value, int(time.time() * 1000), step) for key, value in values.items()]
        self._patiently(lambda: self._client.log_batch(run_id, metrics=entities))

    def text(self, run_id: str, text: str, path: str) -> None:
        """A text file of a run."""
        self._patiently(lambda: self._client.log_text(run_id, text, path))

    def figure(self, run_id: str, figure: Figure, path: str) -> None:
        """A picture of a run."""
        from s2s_lit.tracking.rendering import render

        folder, _, name = path.rpartition("/")
        with scratch_folder() as place:
            file = place / name
            file.write_bytes(render(figure, name.rpartition(".")[2]))
            self._patiently(lambda: self._client.log_artifact(run_id, str(file), folder or None))

    def table(self, run_id: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], path: str) -> None:
        """A table that the UI shows as one."""
        self.text(run_id, json.dumps({"columns": list(columns), "data": [list(row) for row in rows]}), path)
        self.tag(run_id, {"mlflow.loggedArtifacts": json.dumps([{"path": path, "type": "table"}])})

    def end(self, run_id: str, status: str) -> None:
        """FINISHED, FAILED or KILLED."""
        self._patiently(lambda: self._client.set_terminated(run_id, status))

    def _patiently(self, call: Callable[[], T]) -> T:
        if self._given_up is not None:
            raise self._given_up
        pause = 0.0
        while True:
            try:
                with answering(self._client.tracking_uri):
                    time.sleep(pause)
                    return call()
            except UserError as error:
                cause = error.__cause__
                if isinstance(cause, Exception) and _is_refusal(cause):
                    raise
                if not self._meanwhile():
                    self._given_up = error
                    raise
                if not pause:
                    log.warning("%s The sweep goes on when it does.", error)
                pause = min(2 * pause or 1.0, _PAUSE_S)


def _is_refusal(error: Exception) -> bool:
    return permanent(error) or unusable_answer(error) is not None or getattr(error, "error_code", "") in _REFUSALS
