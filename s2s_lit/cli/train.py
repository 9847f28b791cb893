"""`s2s train`: trains an experiment, keeps its best checkpoint, scores that on the test split."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from jsonargparse import Namespace
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from s2s_lit.cli.allocator import keep_freed_memory
from s2s_lit.cli.best import best_checkpoint
from s2s_lit.cli.build import Experiment, read, rebuild, start_from_vectors
from s2s_lit.cli.by_length import ScoresByLength
from s2s_lit.cli.compose import compose, from_yaml, make_parser, to_yaml
from s2s_lit.cli.launch import for_processes, launch, leaves_out, processes_to_start
from s2s_lit.cli.neighbours import picture
from s2s_lit.cli.report import print_scores, progress_callbacks, quiet_libraries, scores_of
from s2s_lit.cli.restart import RestartPoints, read_restart
from s2s_lit.cli.start_from import as_begun, resolved, starting_point, take_weights
from s2s_lit.cli.stopped import JOB, attached, restart_file, scheduled_job, stopped_by_requeue
from s2s_lit.cli.validation import ValidationRecords
from s2s_lit.data.datamodule import Seq2SeqDataModule
from s2s_lit.data.workers import killed_workers_told
from s2s_lit.errors import UserError
from s2s_lit.processes import failing_together, from_first, joined, rank, world_size
from s2s_lit.tasks.base import Seq2SeqTask
from s2s_lit.tasks.memory import StepMemory
from s2s_lit.text.codec import CodecPair
from s2s_lit.tracking.callbacks import RunRecorder
from s2s_lit.tracking.lifecycle import mark_dead_runs, tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.store import RunRecord

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
LEAST = {"gradient_clip_val": 0, "accumulate_grad_batches": 1, "check_val_every_n_epoch": 1}
"""Of settings that Lightning takes as they are: less makes the loss rise, or a training end in a division by zero."""


def train(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: 0 when the run has finished and is scored."""
    if arguments.help_config:
        make_parser().print_help()
        return 0
    with joined():
        overrides = [*overrides, *data_dir_override(arguments)]
        config = compose(arguments.experiment, arguments.dataset, overrides)
        if arguments.print_config:
            print(to_yaml(config), end="")
            return 0
        processes = processes_to_start(config.trainer)
        if processes > 1:
            return launch(processes, arguments.words)
        return track(config, arguments.words)


def track(config: Namespace, words: Sequence[str]) -> int:
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


def train_run(config: Namespace, tracker: MlflowTracker, resume_from: Path | None = None) -> int:
    """Train in each of the processes that train together, as one run, new or stopped; say what came of it."""
    with tracked_run(tracker), failing_together():
        tracker.share_run_id(lambda run_id: from_first(lambda: run_id))
        if job := scheduled_job()[0]:
            tracker.set_tags({JOB: job})
        begins = f"run {tracker.run_name} ({tracker.run_id}): {config.experiment} on {config.dataset}"
        print(begins if resume_from is None else f"{begins}, goes on from its restart point", flush=True)
        task, scores = run(config, tracker, resume_from=resume_from)
    print_scores(f"{tracker.run_name} on the test split", {"test": scores}, task.scores)
    print(
        f"\nrun {tracker.run_name}, id {tracker.run_id}. Next:\n"
        f'  make translate RUN={str(tracker.run_id)[:8]} TEXT="A man is reading a book."\n'
        f"  make evaluate RUN={str(tracker.run_id)[:8]} SPLIT=validation\n"
        f"  make ui      # then http://127.0.0.1:5000, experiment {config.dataset}"
    )
    return 0


def data_dir_override(arguments: argparse.Namespace) -> list[str]:
    """--data_dir as a change of the configuration."""
    if arguments.data_dir is None:
        return []
    if arguments.dataset == "builtin":
        raise UserError(
            "DATA_DIR is the folder of data that has files; the built-in corpus has none: give DATA too (DATA=multi30k)"
        )
    return [f"--data.source.data_dir={arguments.data_dir}"]


def run(
    config: Namespace, tracker: MlflowTracker, callbacks: Sequence[Callback] = (), resume_from: Path | None = None
) -> tuple[Seq2SeqTask, dict[str, float]]:
    """Train and test within a tracked run; the task as it was best, and its test scores by their bare names.

    `callbacks` see the training besides the configured ones. A training that was stopped goes on from the restart point
    `resume_from`.
    """
    keep_freed_memory()
    pl.seed_everything(config.seed, workers=True, verbose=False)
    experiment = Experiment(config)
    stopped = None if resume_from is None else read_restart(resume_from)
    start = starting_point(config) if stopped is None else stopped
    if start is not None:
        experiment.data.codecs = CodecPair.from_state(start["codecs"])
    prepare(experiment.data)
    print(vocabulary_line(experiment.data), flush=True)
    if dealing := experiment.data.dealing(world_size()):
        print(dealing, flush=True)
    task = experiment.make_task(experiment.data.codecs)
    require_attention(task)
    if start is None:
        use_vectors(task, tracker)
    elif stopped is None:
        take_weights(task, start["state_dict"])
    if config.trainer.max_steps > 0 and not experiment.data.constant_count:
        experiment.trainer_arguments["max_epochs"] = -1  # or the schedule would count on steps that never come
    best = best_checkpoint(config.monitor, tracker.run_dir, task)
    recorder = RunRecorder(tracker=tracker, config_yaml=task.config_yaml, checkpoint=best)
    points = RestartPoints(
        tracker.run_dir,
        run_id=str(tracker.run_id),
        best=best,
        minutes=config.restart_minutes,
        steps=config.restart_steps,
    )
    trainer = make_trainer(
        experiment,
        tracker,
        [
            ValidateAtEnd(),
            best,
            recorder,
            ScoresByLength(tracker),
            ValidationRecords(tracker, best),
            points,
            *callbacks,
        ],
        unused=leaves_out(task.model, experiment.data.batcher),
    )
    if stopped is None:
        points.chosen = fit_batches(experiment.data, task, trainer.strategy.root_device, tracker)
    else:
        points.chosen = stopped["chosen"]
        experiment.data.batcher.choose(points.chosen)
    draw_apart(config.seed)
    try:
        with killed_workers_told():
            trainer.fit(task, experiment.data, ckpt_path=resume_from, weights_only=True)
    except MisconfigurationException as error:
        raise UserError(str(error)) from error
    if not best.best_model_path:
        raise UserError("training ended before its first validation, so there is no checkpoint to score")
    _, task = rebuild(from_first(lambda: read(Path(best.best_model_path))))
    trainer.test(task, datamodule=experiment.data, verbose=False)
    tracker.set_tags(signatures(task))
    for side in ("source", "target"):
        tracker.log_figure(picture(task, side), f"embeddings/{side}.png")
    if rank() == 0:
        points.remove()
    return task, scores_of(trainer.callback_metrics, "test")


def prepare(data: Seq2SeqDataModule) -> None:
    """Sets the data up for training, with the first process's vocabularies in all of them."""
    if world_size() > 1:

        def state() -> dict[str, Any]:
            data.setup("validate")  # builds the vocabularies alone
            return data.codecs.state()

        codecs = CodecPair.from_state(from_first(state))
        if rank() > 0:
            data.codecs = codecs
    data.setup("fit")


def draw_apart(seed: int) -> None:
    """From now on each process draws random numbers (dropout) of its own; the first one as if it were alone."""
    if world_size() > 1:
        os.environ.pop("PL_GLOBAL_SEED", None)  # by which Lightning would make them draw alike again
    if rank() > 0:
        torch.manual_seed(seed + rank())


def require_attention(task: Seq2SeqTask) -> None:
    """Refuses, before the training and not after it, what can only be searched with an attention.

    Raises:
        UserError: the model has none.
    """
    if task.model.decoder.attention is not None:
        return
    asked = ["replace_unknown"] if task.replaces_unknown else []
    for name in ("search", "validation_search"):
        asked += [f"{name}.coverage_penalty"] if getattr(getattr(task, name), "coverage_penalty", 0) else []
    if asked:
        raise UserError(f"task.{asked[0]} needs an attention: set model.decoder.attention, or leave it out")


def vocabulary_line(data: Seq2SeqDataModule) -> str:
    """The sizes, and what share of the training text they leave unknown (of a stream it is not known yet)."""
    train = data.report["splits"].get("train", {})
    sides = []
    for side in ("source", "target"):
        unknown = (
            f" ({train['unknown'][side]:.2%} of the training text unknown)" if side in train.get("unknown", {}) else ""
        )
        sides.append(f"{len(getattr(data.codecs, side))} {side} pieces{unknown}")
    return f"vocabulary: {', '.join(sides)}"


def use_vectors(task: Seq2SeqTask, tracker: MlflowTracker) -> None:
    """Starts embeddings from the vectors that they name; says and records how many pieces have one."""
    for side, found in start_from_vectors(task).items():
        print(f"vectors: {found} of {len(getattr(task.codecs, side))} {side} pieces have a pretrained one", flush=True)
        tracker.log_params({"pretrained": {side: found}})


def fit_batches(
    data: Seq2SeqDataModule, task: Seq2SeqTask, device: torch.device, tracker: MlflowTracker
) -> dict[str, int]:
    """Lets the batcher choose what depends on network and machine, says it and records it."""
    source, target = data.longest
    chosen = data.batcher.fit(StepMemory(task, device, source_positions=source, target_positions=target))
    if chosen:
        print("chosen for this machine: " + ", ".join(f"{name} {value}" for name, value in chosen.items()), flush=True)
        tracker.log_params({"data": {"batcher": {"chosen": chosen}}})
    return chosen


def signatures(task: Seq2SeqTask) -> dict[str, str]:
    """How the scores were made, as tags."""
    return {f"s2s.signature.{metric.name}": metric.signature() for metric in task.text_metrics}


class ValidateAtEnd(Callback):
    """Lightning does not validate when `max_steps` ends an epoch early, or a last epoch that is not due (by
    `check_val_every_n_epoch`); the last weights are to be scored, too."""

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any, **kwargs: Any) -> None:
        if trainer.global_step == trainer.max_steps:
            trainer.should_stop = True
            trainer.check_val_every_n_epoch = 1
        elif trainer.current_epoch + 1 == trainer.max_epochs and trainer.check_val_every_n_epoch is not None:
            trainer.check_val_every_n_epoch = 1


def make_trainer(
    experiment: Experiment, tracker: MlflowTracker, callbacks: list[Callback], *, unused: bool = False
) -> pl.Trainer:
    """Lightning's Trainer with our logger and callbacks besides the configured ones; `unused` as in `for_processes`."""
    quiet_libraries()
    given = for_processes(experiment.trainer_arguments, unused=unused)
    for name, least in LEAST.items():
        if (value := given[name]) is not None and value < least:
            raise UserError(f"trainer.{name} must be at least {least}, not {value}")
    if given["accelerator"] == "auto" and torch.backends.mps.is_available():
        given["accelerator"] = "cpu"  # Apple's GPUs have no float64, in which the scores are summed
    ours = [*progress_callbacks(), *callbacks]
    arguments = {
        **given,
        "callbacks": [*_listed(given.get("callbacks")), *ours],
        "logger": tracker,
        "use_distributed_sampler": False,
        "default_root_dir": str(tracker.run_dir),
    }
    arguments["enable_progress_bar"] = any("Progress" in type(c).__name__ for c in ours)
    try:
        trainer = pl.Trainer(**arguments)
    except (MisconfigurationException, ValueError) as error:
        raise UserError(f"trainer: {error}") from error
    if trainer.world_size != world_size():
        raise UserError(f"trainer.devices={given['devices']}: only s2s train starts several processes")
    if trainer.precision not in PRECISIONS:  # of the others Lightning's own handling of a batch fails
        raise UserError(f"trainer.precision={trainer.precision} is not supported: take one of {', '.join(PRECISIONS)}")
    return trainer


def _listed(callbacks: list[Callback] | Callback | None) -> list[Callback]:
    if callbacks is None:
        return []
    return callbacks if isinstance(callbacks, list) else [callbacks]
