"""`s2s train`: trains an experiment, keeps its best checkpoint, scores that on the test split."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from jsonargparse import Namespace
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from s2s_lit.cli.build import Experiment, load
from s2s_lit.cli.compose import compose, make_parser, to_yaml
from s2s_lit.cli.report import LOWER_IS_BETTER, print_scores, progress_callbacks, quiet_libraries, scores_of
from s2s_lit.errors import UserError
from s2s_lit.tasks.base import Seq2SeqTask
from s2s_lit.tracking.callbacks import RunRecorder
from s2s_lit.tracking.lifecycle import mark_dead_runs, tracked_run
from s2s_lit.tracking.logger import MlflowTracker


def train(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: 0 when the run has finished and is scored."""
    if arguments.help_config:
        make_parser().print_help()
        return 0
    if arguments.data_dir:
        overrides = [*overrides, f"--data.source.data_dir={arguments.data_dir}"]
    config = compose(arguments.experiment, arguments.dataset, overrides)
    if arguments.print_config:
        print(to_yaml(config), end="")
        return 0
    mark_dead_runs()
    tracker = MlflowTracker(dataset=config.dataset, experiment=config.experiment)
    with tracked_run(tracker):
        print(f"run {tracker.run_name} ({tracker.run_id}): {config.experiment} on {config.dataset}", flush=True)
        scores = run(config, tracker)
    print_scores(f"{tracker.run_name} on the test split", {"test": scores})
    print(
        f"\nrun {tracker.run_name}, id {tracker.run_id}. Next:\n"
        f'  make translate RUN={str(tracker.run_id)[:8]} TEXT="A man is reading a book."\n'
        f"  make evaluate RUN={str(tracker.run_id)[:8]} SPLIT=validation\n"
        f"  make ui      # then http://127.0.0.1:5000, experiment {config.dataset}"
    )
    return 0


def run(config: Namespace, tracker: MlflowTracker) -> dict[str, float]:
    """Train and test within a tracked run; the test scores by their bare names."""
    pl.seed_everything(config.seed, workers=True, verbose=False)
    experiment = Experiment(config)
    experiment.data.prepare_data()
    experiment.data.setup("fit")
    task = experiment.make_task(experiment.data.codecs)
    best = best_checkpoint(config.monitor, tracker.run_dir)
    recorder = RunRecorder(tracker=tracker, config_yaml=task.config_yaml)
    trainer = make_trainer(experiment, tracker, [ValidateAtEnd(), best, recorder])
    trainer.fit(task, experiment.data)
    if trainer.interrupted:
        raise KeyboardInterrupt
    if not best.best_model_path:
        raise UserError("training ended before its first validation, so there is no checkpoint to score")
    _, task = load(Path(best.best_model_path))
    trainer.test(task, datamodule=experiment.data, verbose=False)
    tracker.set_tags(signatures(task))
    return scores_of(trainer.callback_metrics, "test")


def signatures(task: Seq2SeqTask) -> dict[str, str]:
    """How the scores were made, as tags."""
    return {f"s2s.signature.{metric.name}": metric.signature() for metric in task.text_metrics}


class ValidateAtEnd(Callback):
    """Lightning does not validate when `max_steps` ends an epoch early; the last weights are to be scored, too."""

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any, **kwargs: Any) -> None:
        if trainer.global_step == trainer.max_steps:
            trainer.should_stop = True


def best_checkpoint(monitor: str, folder: Path) -> ModelCheckpoint:
    """Keeps the checkpoint with the best monitored score."""
    lower = monitor.rpartition("/")[2] in LOWER_IS_BETTER
    return ModelCheckpoint(
        dirpath=folder,
        filename="best",
        monitor=monitor,
        mode="min" if lower else "max",
        save_weights_only=True,
        enable_version_counter=False,
    )


def make_trainer(experiment: Experiment, tracker: MlflowTracker, callbacks: list[Callback]) -> pl.Trainer:
    """Lightning's Trainer with our logger and callbacks besides the configured ones."""
    quiet_libraries()
    given = experiment.trainer_arguments
    ours = [*progress_callbacks(), *callbacks]
    arguments = {
        **given,
        "callbacks": [*_listed(given.get("callbacks")), *ours],
        "logger": tracker,
        "use_distributed_sampler": False,  # our loader shards itself
        "default_root_dir": str(tracker.run_dir),
    }
    arguments["enable_progress_bar"] = any("Progress" in type(c).__name__ for c in ours)
    return pl.Trainer(**arguments)


def _listed(callbacks: list[Callback] | Callback | None) -> list[Callback]:
    if callbacks is None:
        return []
    return callbacks if isinstance(callbacks, list) else [callbacks]
