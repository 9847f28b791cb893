"""Trainings that start from the weights and the vocabularies of a finished run: fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonargparse import Namespace
from torch import Tensor

from s2s_lit.config.compose import from_yaml
from s2s_lit.config.stored import read
from s2s_lit.errors import UserError
from s2s_lit.processes import from_first
from s2s_lit.tasks.base import Task
from s2s_lit.tracking.client.runs import download_checkpoint, find_run


def resolved(config: Namespace) -> Namespace:
    """The configuration with the id of the run that `start_from` means, and with what made that run's vocabularies.

    Raises:
        UserError: there is no such run, or it has kept no checkpoint.
    """
    if not config.start_from:
        return config

    def found() -> tuple[str, str]:
        run = find_run(config.start_from)
        print(f"starts from {run}, with its weights and its vocabularies (data.fields, data.tokenizer)", flush=True)
        return run.run_id, read(download_checkpoint(run))["s2s_lit"]["config"]

    run_id, text = from_first(found)
    data, config = from_yaml(text).data, config.clone()
    config.start_from, config.data.fields, config.data.tokenizer = run_id, data.fields, data.tokenizer
    return config


def as_begun(config: Namespace, begun: Namespace) -> Namespace:
    """The configuration with what `start_from` came to when a training began, as `latest` may be another run by now."""
    if not config.start_from:
        return config
    config = config.clone()
    config.start_from, config.data.fields, config.data.tokenizer = (
        begun.start_from, begun.data.fields, begun.data.tokenizer
    )  # fmt: skip
    return config


def starting_point(config: Namespace) -> dict[str, Any] | None:
    """The states of `fields` and network of the run that a resolved configuration starts from, if it does."""
    if not config.start_from:
        return None
    checkpoint = from_first(lambda: read(download_checkpoint(find_run(config.start_from))))
    return {"fields": checkpoint["s2s_lit"]["fields"], "state_dict": checkpoint["state_dict"]}


def take_weights(task: Task, state_dict: Mapping[str, Tensor]) -> None:
    """Gives the task's network the weights of another one.

    Raises:
        UserError: a parameter has another shape there, or only one of them has it.
    """
    own = task.model.state_dict()
    given = {name.removeprefix("model."): value for name, value in state_dict.items() if name.startswith("model.")}
    for name in [*own, *given]:
        here, there = (list(state[name].shape) if name in state else "missing" for state in (own, given))
        if here != there:
            raise UserError(
                f"the network has not the shape of the run to start from: {name} is {here} here and {there} there. "
                "Take that run's experiment, and the same changes of `model` (start_from)"
            )
    task.model.load_state_dict(given)
