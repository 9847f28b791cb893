"""`s2s train`: trains an experiment, keeps its best checkpoint, scores that on the test split."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from jsonargparse import Namespace

from s2s_lit.config.compose import compose, from_yaml, make_parser, to_yaml
from s2s_lit.errors import UserError
from s2s_lit.processes import failing_together, from_first, joined
from s2s_lit.tracking.client.runs import RunRecord
from s2s_lit.tracking.lifecycle import mark_dead_runs, tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.training.console import print_scores
from s2s_lit.training.fine_tuning import as_begun, resolved
from s2s_lit.training.launch import launch, processes_to_start
from s2s_lit.training.restart_files import read_restart
from s2s_lit.training.resumable_runs import attached, restart_file, stopped_by_requeue
from s2s_lit.training.run import run
from s2s_lit.training.scheduled_job import JOB, scheduled_job


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
