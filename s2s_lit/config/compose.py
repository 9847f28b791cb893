"""Composes a typed configuration: base.yaml + data/DATASET.yaml + EXPERIMENT.yaml + the command line.

Every key is a constructor's parameter; a part is named by its class (`class_path`, `init_args`).
"""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
from argparse import ArgumentError
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace
from lightning.pytorch import Trainer

from s2s_lit.checks import single_name
from s2s_lit.config.catalogue import import_parts
from s2s_lit.config.experiments import FOLDER, files_of
from s2s_lit.config.explain import explain
from s2s_lit.config.jsonargparse_adapter import empty_parser
from s2s_lit.config.overrides import parse_words
from s2s_lit.config.yaml_files import read_mapping, read_mapping_text
from s2s_lit.data.datamodule import DataModule
from s2s_lit.data.fields.fields import Fields
from s2s_lit.errors import UserError
from s2s_lit.models.base import Model
from s2s_lit.tasks.base import Task

OURS = {
    "logger",
    "use_distributed_sampler",
    "default_root_dir",
    "enable_progress_bar",
    "gradient_clip_algorithm",  # always by norm
    "fast_dev_run",  # keeps no checkpoint to score: use max_steps
}
"""Arguments of Lightning's Trainer that the program decides."""


@functools.cache
def make_parser() -> ArgumentParser:
    """The typed configuration of a run."""
    import_parts()
    parser = empty_parser()
    parser.add_argument("--config", action="config", help="A further YAML file of differences.")
    parser.add_argument("--experiment", type=str, default="", help="Name of the experiment (given by the program).")
    parser.add_argument("--dataset", type=str, default="", help="Name of the data (given by the program).")
    parser.add_argument("--seed", type=int, default=1, help="Seed of initialization, dropout and order of the data.")
    parser.add_argument(
        "--monitor",
        type=str,
        default="",
        help="Validation score by which the best checkpoint is kept (default: the task's headline score).",
    )
    parser.add_argument(
        "--start_from",
        type=str,
        default="",
        help="RUN (latest, best, an experiment, an id) whose best weights and vocabularies training starts from.",
    )
    parser.add_argument(
        "--restart_minutes", type=float, default=10.0, help="Longest time of training that a kill may cost."
    )
    parser.add_argument(
        "--restart_steps", type=int, default=0, help="Most optimizer steps that a kill may cost; 0 is no such bound."
    )
    parser.add_class_arguments(DataModule, "data")
    parser.add_argument("--model", type=Callable[[Mapping[str, int]], Model], help="The network and its parts.")
    parser.add_argument("--task", type=Callable[[Model, Fields], Task], help="Loss, optimizer, search.")
    parser.link_arguments("seed", "data.seed")
    parser.add_class_arguments(Trainer, "trainer", instantiate=False, skip=OURS)
    return parser


def compose(experiment: str, dataset: str, overrides: Sequence[str], folder: Path = FOLDER) -> Namespace:
    """The configuration of an experiment on a data set.

    Raises:
        UserError: no such experiment or data set; an unknown key, by its full path, its file and the nearest key; a
            value of the wrong type.
    """
    files = files_of(experiment, dataset, folder)
    arguments = [f"--config={file}" for file in files]
    return parse(
        [*arguments, f"--experiment={experiment}", f"--dataset={dataset}"], overrides, [*files, *_given(overrides)]
    )


def parse(arguments: Sequence[str], overrides: Sequence[str], files: Sequence[Path] = ()) -> Namespace:
    """Parse both, with errors that name the key, the file and the remedy."""
    parser = make_parser()
    for file in files:
        read_mapping(file)  # what is no configuration is refused by its line
    try:
        config = parse_words(parser, [*arguments, *overrides])
    except ArgumentError as error:
        raise UserError(explain(str(error), parser, files, overrides)) from error
    config = _checked(config)
    config.monitor = config.monitor or f"val/{named(config.task.class_path).headline}"
    return config


def named(path: str) -> Any:
    """What a configuration names by its whole path."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _checked(config: Namespace) -> Namespace:
    """The configuration itself; what jsonargparse takes and we do not is refused before any data is read.

    A file or `--experiment=...` may name folders of runs, and an abstract class is taken where a part is made later.
    """
    for key in ("experiment", "dataset"):
        if config[key]:
            single_name(key, config[key])
    for key, path in config.items():
        module, _, name = str(path).rpartition(".")
        if key.endswith(".class_path") and inspect.isabstract(getattr(importlib.import_module(module), name)):
            part = key.removesuffix(".class_path").replace(".init_args", "")
            raise UserError(f"{part}: {name} is what such parts have in common, none by itself; make parts lists them")
    return config


def to_yaml(config: Namespace) -> str:
    """The whole configuration, as one file that `--config FILE` reads again."""
    return make_parser().dump(config, skip_none=False)


def from_yaml(text: str, overrides: Sequence[str] = ()) -> Namespace:
    """The configuration that a checkpoint carries, with changes from the command line."""
    parser = make_parser()
    read_mapping_text(text, "this version does not read the checkpoint's configuration: it")
    try:
        config = parser.parse_string(text)
    except (ArgumentError, AttributeError, TypeError, ValueError, RecursionError) as error:  # of a text that is no YAML
        reason = explain(str(error), parser, (), ())
        raise UserError(f"this version does not read the checkpoint's configuration: {reason}") from error
    try:
        config = parse_words(parser, overrides, defaults=False, namespace=config)
    except ArgumentError as error:
        raise UserError(explain(str(error), parser, (), overrides)) from error
    return _checked(config)


def _given(overrides: Sequence[str]) -> list[Path]:
    """The configuration files named on the command line."""
    words = [word for override in overrides for word in override.split("=", 1)]
    return [Path(after) for word, after in itertools.pairwise(words) if word == "--config"]
