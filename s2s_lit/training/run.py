"""One training within a tracked run: data and network are set up, it is fitted, its best checkpoint is scored."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import lightning.pytorch as pl
from jsonargparse import Namespace
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from s2s_lit.checkpoint_files import NotSavedError
from s2s_lit.config.build import Experiment, rebuild
from s2s_lit.config.stored import read
from s2s_lit.data.datamodule import DataModule
from s2s_lit.data.loading.workers import killed_workers_told
from s2s_lit.errors import UserError
from s2s_lit.inference.neighbours import picture
from s2s_lit.metrics.score import scores_of
from s2s_lit.processes import from_first, rank
from s2s_lit.tasks.base import Task
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.training.allocator import keep_freed_memory
from s2s_lit.training.best_checkpoint import BestCheckpoint, best_checkpoint
from s2s_lit.training.callbacks.recorder import RunRecorder
from s2s_lit.training.callbacks.scores_by_length import ScoresByLength
from s2s_lit.training.callbacks.validation_records import ValidationRecords
from s2s_lit.training.console import say
from s2s_lit.training.launch import leaves_out
from s2s_lit.training.preparation import begin, choose_batches, draw_apart
from s2s_lit.training.restart_files import read_restart
from s2s_lit.training.restart_points import RestartPoints
from s2s_lit.training.trainer import ValidateAtEnd, make_trainer


def run(
    config: Namespace, tracker: MlflowTracker, callbacks: Sequence[Callback] = (), resume_from: Path | None = None
) -> tuple[Task, dict[str, float]]:
    """Train and test within a tracked run; the task as it was best, and its test scores by their bare names.

    `callbacks` see the training besides the configured ones. A training that was stopped goes on from the restart point
    `resume_from`.
    """
    keep_freed_memory()
    pl.seed_everything(config.seed, workers=True, verbose=False)
    experiment = Experiment(config)
    stopped = None if resume_from is None else read_restart(resume_from)
    task = begin(experiment, tracker, stopped)
    best = best_checkpoint(config.monitor, tracker.run_dir, task)
    points = restart_points(config, tracker, best)
    watching = [*recorders(task, best, tracker), points, *callbacks]
    unused = leaves_out(task.model, experiment.data.batcher)
    trainer = make_trainer(experiment, tracker, [ValidateAtEnd(), best, *watching], unused=unused)
    points.chosen = choose_batches(experiment.data, task, trainer.strategy.root_device, tracker, stopped)
    draw_apart(config.seed)
    fit(trainer, task, experiment.data, points, resume_from)
    with resume_command_told(points):
        scored = score_best(best, points, trainer, experiment.data, tracker)
    if rank() == 0:
        points.remove()
    return scored


def restart_points(config: Namespace, tracker: MlflowTracker, best: BestCheckpoint) -> RestartPoints:
    """What saves where the training stands, as often as the configuration asks for."""
    return RestartPoints(
        tracker.run_dir,
        run_id=str(tracker.run_id),
        best=best,
        minutes=config.restart_minutes,
        steps=config.restart_steps,
    )


def recorders(task: Task, best: BestCheckpoint, tracker: MlflowTracker) -> list[Callback]:
    """What writes down, as a run, how the training goes."""
    return [
        RunRecorder(tracker=tracker, config_yaml=task.config_yaml, checkpoint=best),
        ScoresByLength(tracker),
        ValidationRecords(tracker, best),
    ]


def fit(trainer: pl.Trainer, task: Task, data: DataModule, points: RestartPoints, resume_from: Path | None) -> None:
    """Trains the task, from the restart point `resume_from` on if there is one.

    Raises:
        UserError: The trainer's settings contradict each other, a process that makes batches was killed, or a
            checkpoint cannot be written.
    """
    try:
        with killed_workers_told():
            trainer.fit(task, data, ckpt_path=resume_from, weights_only=True)
    except MisconfigurationException as error:
        raise UserError(str(error)) from error
    except NotSavedError as error:
        goes_on = f" Once that is mended, {points.command} goes on" if points.path.is_file() else ""
        raise UserError(f"{error.filename} cannot be written ({error.strerror}).{goes_on}") from error


@contextlib.contextmanager
def resume_command_told(points: RestartPoints) -> Iterator[None]:
    """Says how to go on when Ctrl-C or SIGTERM stops the body, which scores what was trained."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        say(f"stopped while it was scored. To go on: {points.command}")
        raise


def score_best(
    best: BestCheckpoint, points: RestartPoints, trainer: pl.Trainer, data: DataModule, tracker: MlflowTracker
) -> tuple[Task, dict[str, float]]:
    """The task of the best checkpoint and its test scores, which are recorded with pictures of its embeddings."""
    if not best.best_model_path:
        raise UserError("training ended before its first validation, so there is no checkpoint to score")
    content = from_first(lambda: read(Path(best.best_model_path)))
    if content["global_step"] != best.step:
        raise UserError(
            f"{best.best_model_path} has the weights of step {content['global_step']}, and those of step {best.step} "
            f"were the best: something else has written it. To train on from the restart point: {points.command}"
        )
    say(what_is_scored(best))
    _, task = rebuild(content)
    trainer.test(task, datamodule=data, verbose=False)
    tracker.set_tags(signatures(task))
    for name in task.model.embeddings:
        tracker.log_figure(picture(task.model, task.fields, name), f"embeddings/{name}.png")
    return task, scores_of(trainer.callback_metrics, "test")


def what_is_scored(best: BestCheckpoint) -> str:
    """Which step's weights are scored, and what they had in the validation that chose them."""
    shown = dict.fromkeys(name for name in (str(best.monitor), "val/loss") if name in best.kept)
    scores = ", ".join(f"{name} {best.kept[name]:.4f}" for name in shown)
    return f"scored: the weights of step {best.step}, which were the best ({scores})"


def signatures(task: Task) -> dict[str, str]:
    """How the scores were made, as tags."""
    return {f"s2s.signature.{metric.name}": metric.signature() for metric in task.text_metrics}
