"""What comes before the first step: vocabularies, data, the task, and what the batcher chooses for the machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch

from s2s_lit.config.build import Experiment, start_from_vectors
from s2s_lit.data.datamodule import DataModule
from s2s_lit.processes import from_first, rank, world_size
from s2s_lit.tasks.base import Task
from s2s_lit.tasks.memory import StepMemory
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.training.console import say
from s2s_lit.training.fine_tuning import starting_point, take_weights


def begin(experiment: Experiment, tracker: MlflowTracker, stopped: Mapping[str, Any] | None) -> Task:
    """The task that training begins or, from the restart point `stopped`, goes on with, once its data is set up."""
    config, data = experiment.config, experiment.data
    start = starting_point(config) if stopped is None else stopped
    if start is not None:
        data.fields.load_state(start["fields"])
    prepare(data)
    say(vocabulary_line(data))
    for line in data.lost_rows:
        say(line)
    if dealing := data.dealing(world_size()):
        say(dealing)
    if config.trainer.max_steps > 0 and not data.constant_count:
        experiment.trainer_arguments["max_epochs"] = -1  # or the schedule would count on steps that never come
    task = experiment.make_task()
    if start is None:
        use_vectors(task, tracker)
    elif stopped is None:
        take_weights(task, start["state_dict"])
    return task


def prepare(data: DataModule) -> None:
    """Sets the data up for training, with the first process's vocabularies in all of them."""
    if world_size() > 1:

        def state() -> dict[str, Any]:
            data.setup("validate")  # builds the vocabularies alone
            return data.fields.state()

        built = from_first(state)
        if rank() > 0:
            data.fields.load_state(built)
    data.setup("fit")


def draw_apart(seed: int) -> None:
    """From now on each process draws random numbers (dropout) of its own; the first one as if it were alone."""
    if world_size() > 1:
        os.environ.pop("PL_GLOBAL_SEED", None)  # by which Lightning would make them draw alike again
    if rank() > 0:
        torch.manual_seed(seed + rank())


def vocabulary_line(data: DataModule) -> str:
    """The sizes, and what part of the training text they leave unknown (of a stream it is not known yet)."""
    unknown = data.report["splits"].get("train", {}).get("unknown", {})
    said = []
    for name, field in data.fields.text_fields.items():
        lacking = f" ({unknown[name]:.2%} of the training text unknown)" if name in unknown else ""
        said.append(f"{field.size} {name} tokens{lacking}")
    return f"vocabulary: {', '.join(said)}"


def use_vectors(task: Task, tracker: MlflowTracker) -> None:
    """Starts embeddings from the vectors that they name; says and records how many tokens have one."""
    for name, found in start_from_vectors(task).items():
        say(f"vectors: {found} of {task.fields[name].size} {name} tokens have a pretrained one")
        tracker.log_params({"pretrained": {name: found}})


def choose_batches(
    data: DataModule, task: Task, device: torch.device, tracker: MlflowTracker, stopped: Mapping[str, Any] | None
) -> dict[str, int]:
    """What the batcher has chosen for this network and machine: now, or before the training was stopped."""
    if stopped is None:
        return fit_batches(data, task, device, tracker)
    chosen: dict[str, int] = stopped["chosen"]
    data.batcher.choose(chosen)
    return chosen


def fit_batches(data: DataModule, task: Task, device: torch.device, tracker: MlflowTracker) -> dict[str, int]:
    """Lets the batcher choose what depends on network and machine, says it and records it."""
    chosen = data.batcher.fit(StepMemory(task, device, positions=data.longest))
    if chosen:
        say("chosen for this machine: " + ", ".join(f"{name} {value}" for name, value in chosen.items()))
        tracker.log_params({"data": {"batcher": {"chosen": chosen}}})
    return chosen
