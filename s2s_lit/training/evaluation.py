"""A finished run is scored again, on any split, as a tracked run below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from s2s_lit.config.build import load
from s2s_lit.metrics.score import Score, scores_of
from s2s_lit.tracking.client.runs import RunRecord, download_checkpoint
from s2s_lit.tracking.lifecycle import tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.training.callbacks.recorder import RunRecorder
from s2s_lit.training.callbacks.scores_by_length import ScoresByLength
from s2s_lit.training.console import say
from s2s_lit.training.run import signatures
from s2s_lit.training.trainer import make_trainer


class Evaluated(NamedTuple):
    """What an evaluation gives.

    Attributes:
        scores: The split's scores by their bare names.
        logged: Those of them that the run had logged of this split before.
        known: What the task knows of its scores.
    """

    scores: dict[str, float]
    logged: dict[str, float]
    known: Sequence[Score]


def evaluate(record: RunRecord, split: str, overrides: Sequence[str] = ()) -> Evaluated:
    """Score a split with the best checkpoint of a run, and log that as a run of its own below it."""
    experiment, task = load(download_checkpoint(record), overrides)
    experiment.trainer_arguments["devices"] = 1  # however many trained it
    task.test_split = experiment.data.test_split = split
    tracker = MlflowTracker(
        dataset=record.dataset,
        experiment=record.experiment,
        kind="evaluate",
        run_name=f"{record.name} {split}",
        parent=record.run_id,
        words=["evaluate", record.run_id, f"--split={split}", *overrides],
    )
    with tracked_run(tracker):
        recorder = RunRecorder(tracker=tracker, config_yaml=task.config_yaml, split=split)
        trainer = make_trainer(experiment, tracker, [recorder, ScoresByLength(tracker)])
        trainer.test(task, datamodule=experiment.data, verbose=False)
        for line in experiment.data.lost_rows:
            say(line)
        tracker.set_tags(signatures(task))
        scores = scores_of(trainer.callback_metrics, split)
    logged = {name: value for name, value in scores_of(record.metrics, split).items() if name in scores}
    return Evaluated(scores, logged, task.scores)
