"""Builds what a configuration names, and rebuilds it from a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jsonargparse import Namespace

from s2s_lit.config.compose import from_yaml, make_parser, named, to_yaml
from s2s_lit.config.objections import objections
from s2s_lit.config.stored import read, take_vocabularies
from s2s_lit.data.datamodule import DataModule
from s2s_lit.errors import UserError
from s2s_lit.models.base import Model
from s2s_lit.tasks.base import Task
from s2s_lit.text.vectors import read_vectors
from s2s_lit.text.vocabulary import SPECIALS, Vocabulary
from s2s_lit.text.words import WordTokenizer


class Experiment:
    """The parts that a configuration names; the task waits for the vocabularies.

    Attributes:
        config: the configuration.
        data: the data module.
        trainer_arguments: what the configuration says of Lightning's Trainer.
    """

    def __init__(self, config: Namespace) -> None:
        with objections():
            parts = make_parser().instantiate(config)
        if missing := [key for key in ("model", "task") if parts[key] is None]:
            raise UserError(f"{missing[0]}: the configuration has none")
        self.config = config
        self.data: DataModule = parts.data
        self.trainer_arguments: dict[str, Any] = dict(parts.trainer)
        self._make_model, self._make_task = parts.model, parts.task

    def try_task(self) -> Task:
        """The network and the task, for vocabularies of a few tokens; no random number of the training is used up.

        The data's fields have these vocabularies from now on, so the experiment is made anew to be trained.

        Raises:
            UserError: A setting is out of range, or parts do not fit together.
        """
        shared = _few_tokens()
        for field in self.data.fields.text_fields.values():
            field.tokenizer = shared if field.builder is None else _few_tokens()
        with torch.random.fork_rng(devices=[]):
            return self.make_task()

    def make_task(self) -> Task:
        """The network and the LightningModule around it, for the data's fields, whose tokenizers must be there.

        Raises:
            UserError: The model reads other fields than the data has, or parts do not fit together.
        """
        fields = self.data.fields
        with objections():
            self._require_what_is_read()
            model: Model = self._make_model(fields.sizes)
        if model.copied_input is not None and not fields.shares_tokenizer(model.copied_input):
            raise UserError(
                f"model.output copies from {model.copied_input}, so the field needs the target's tokenizer: share "
                "data.tokenizer"
            )
        with objections():
            task: Task = self._make_task(model, fields)
        task.config_yaml = to_yaml(self.config)
        return task

    def _require_what_is_read(self) -> None:
        reads = named(self.config.model.class_path).reads
        if missing := [name for name in reads if name not in self.data.fields]:
            raise UserError(
                f"the model reads {' and '.join(reads)}, but data.fields has {', '.join(self.data.fields)}: "
                f"add {missing[0]}"
            )


def _few_tokens() -> WordTokenizer:
    return WordTokenizer(Vocabulary([*SPECIALS, "a", "b"]))


def score_names(config: Namespace) -> list[str]:
    """What a validation of this configuration scores; no vocabulary is needed to know that."""
    stated = config.task.init_args.get("metrics")
    task: type[Task] = named(config.task.class_path)
    metrics = task.usual_metrics() if stated is None else [named(metric.class_path) for metric in stated]
    return [*(score.name for score in task.likelihood_class.scores), *(metric.name for metric in metrics)]


def start_from_vectors(task: Task) -> dict[str, int]:
    """Reads the pretrained vectors that embeddings of a new run name; how many tokens each field found there.

    Raises:
        UserError: a file cannot be read, has vectors of another size, or none for this vocabulary.
    """
    found = {}
    for name, embedding in task.model.embeddings.items():
        if embedding.vectors is None:
            continue
        tokens = task.fields.text_fields[name].tokenizer.tokens
        ids, vectors = read_vectors(embedding.vectors, tokens, embedding.table.embedding_dim)
        if not len(ids):
            raise UserError(f"{embedding.vectors} has none of the {name} tokens (vectors of the {name} embedding)")
        embedding.start_from(ids, vectors)
        found[name] = len(ids)
    return found


def load(checkpoint: Path, overrides: Sequence[str] = ()) -> tuple[Experiment, Task]:
    """The experiment and the trained task that a checkpoint holds, on the CPU and in evaluation mode.

    Raises:
        UserError: the file is unreadable, torn or not of this program.
    """
    return rebuild(read(checkpoint), overrides)


def rebuild(content: dict[str, Any], overrides: Sequence[str] = ()) -> tuple[Experiment, Task]:
    """The experiment and the trained task of such content.

    Raises:
        UserError: The configuration or the vocabularies cannot be read, or the overrides change what the weights do
            not fit.
    """
    own = content["s2s_lit"]
    experiment = Experiment(from_yaml(own["config"], overrides))
    take_vocabularies(experiment.data.fields, own)
    task = experiment.make_task()
    try:
        task.load_state_dict(content["state_dict"])
    except RuntimeError as error:
        raise UserError(f"the checkpoint's weights do not fit: leave out what changes the model ({error})") from error
    return experiment, task.eval()
