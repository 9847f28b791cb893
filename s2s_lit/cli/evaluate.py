"""`s2s evaluate`: scores a finished run again."""

from __future__ import annotations

import argparse

from s2s_lit.cli.train import data_dir_override
from s2s_lit.config.build import load
from s2s_lit.tracking.client.runs import download_checkpoint, find_run
from s2s_lit.tracking.lifecycle import mark_dead_runs, tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.records.recorder import RunRecorder
from s2s_lit.training.callbacks.scores_by_length import ScoresByLength
from s2s_lit.training.console import print_scores, scores_of
from s2s_lit.training.run import signatures
from s2s_lit.training.trainer import make_trainer


def evaluate(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: scores a split and logs them as a run of its own below the trained one."""
    mark_dead_runs()
    record = find_run(arguments.run, dataset=arguments.dataset)
    arguments.dataset = record.dataset
    overrides = [*overrides, *data_dir_override(arguments)]
    experiment, task = load(download_checkpoint(record), overrides)
    experiment.trainer_arguments["devices"] = 1  # however many trained it
    task.test_split = experiment.data.test_split = split = arguments.split
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
        tracker.set_tags(signatures(task))
        scores = scores_of(trainer.callback_metrics, split)
    logged = {name: value for name, value in scores_of(record.metrics, split).items() if name in scores}
    columns = {split: scores, **({"logged before": logged} if logged else {})}
    print_scores(f"{record.name} on the {split} split", columns, task.scores)
    return 0
