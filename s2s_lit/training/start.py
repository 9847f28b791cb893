"""A training as a tracked run: begun, gone on with where a scheduler started its job again, or resumed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jsonargparse import Namespace

from s2s_lit.config.compose import from_yaml, to_yaml
from s2s_lit.metrics.score import Score
from s2s_lit.processes import failing_together, from_first
from s2s_lit.tracking.client.runs import RunRecord
from s2s_lit.tracking.lifecycle import mark_dead_runs, tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.training.fine_tuning import as_begun, resolved
from s2s_lit.training.restart_files import read_restart
from s2s_lit.training.resumable_runs import attached, restart_file, stopped_by_requeue
from s2s_lit.training.run import run
from s2s_lit.training.scheduled_job import JOB, scheduled_job


class Trained(NamedTuple):
    """What came of a training.

    Attributes:
        run_name: The run's name.
        run_id: The run's id.
        dataset: What it was trained on.
        scores: The test scores of its best checkpoint, by their bare names.
        known: What the task knows of its scores.
        advice: Commands that use the run, by its task.
    """

    run_name: str
    run_id: str
    dataset: str
    scores: dict[str, float]
    known: Sequence[Score]
    advice: Sequence[str]


def start(config: Namespace, words: Sequence[str]) -> Trained:
    """Train as a run of its own, or as the run that a requeued job had begun; `words` are the program's."""
    job, requeued = scheduled_job()

    def same(text: str) -> bool:
        return to_yaml(as_begun(config, from_yaml(text))) == text

    def find() -> RunRecord | None:
        mark_dead_runs()
        return stopped_by_requeue(job, same) if requeued else None

    stopped = from_first(find)
    if stopped is not None:
        begun = from_yaml(read_restart(restart_file(stopped))["config"])
        return train_run(begun, attached(stopped), restart_file(stopped))
    config = resolved(config)
    # What repeats it names the run that it starts from: `latest` is another one tomorrow.
    again = [*words, f"--start_from={config.start_from}"] if config.start_from else None
    return train_run(config, MlflowTracker(dataset=config.dataset, experiment=config.experiment, words=again))


def train_run(config: Namespace, tracker: MlflowTracker, resume_from: Path | None = None) -> Trained:
    """Train in each of the processes that train together, as one run, new or stopped."""
    with tracked_run(tracker), failing_together():
        tracker.share_run_id(lambda run_id: from_first(lambda: run_id))
        if job := scheduled_job()[0]:
            tracker.set_tags({JOB: job})
        begins = f"run {tracker.run_name} ({tracker.run_id}): {config.experiment} on {config.dataset}"
        print(begins if resume_from is None else f"{begins}, goes on from its restart point", flush=True)
        task, scores = run(config, tracker, resume_from=resume_from)
    run_id = str(tracker.run_id)
    return Trained(str(tracker.run_name), run_id, config.dataset, scores, task.scores, type(task).advice(run_id[:8]))
