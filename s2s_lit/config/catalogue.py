"""The catalogue: every part that a configuration can name, by kind."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from typing import Any

from s2s_lit.errors import UserError, did_you_mean
from s2s_lit.tasks.base import Task

PART_ROOMS = ("nn", "losses", "metrics", "optim", "decoding", "text", "data", "corpora", "models", "tasks")


def import_parts() -> None:
    """Imports every module with parts: a class must be imported to be named without its module.

    A module that cannot be imported is told once on standard error; the parts of the others can be used.
    """
    for room in PART_ROOMS:
        package = f"s2s_lit.{room}"
        for module in pkgutil.walk_packages(
            importlib.import_module(package).__path__, prefix=f"{package}.", onerror=lambda name: None
        ):
            try:
                importlib.import_module(module.name)
            except Exception as error:  # whatever a file of one's own raises
                if module.name not in _told:
                    _told.add(module.name)
                    reason = f"{type(error).__name__}: {error}".splitlines()[0]
                    print(f"s2s: {module.name} cannot be imported, its parts are left out ({reason})", file=sys.stderr)


_told: set[str] = set()


def kinds() -> dict[str, type]:
    """The contract of each kind of part, by the name under which a configuration has it."""
    import_parts()
    from s2s_lit.data.batching.batchers import Batcher
    from s2s_lit.data.cleaning.filters import Filter
    from s2s_lit.data.fields.base import Field
    from s2s_lit.data.sources.base import CorpusSource
    from s2s_lit.decoding.search import Search
    from s2s_lit.losses.base import Loss
    from s2s_lit.losses.penalty import Penalty
    from s2s_lit.metrics.text import TextMetric
    from s2s_lit.models.base import Model
    from s2s_lit.nn.attention.base import Attention
    from s2s_lit.nn.bridges import Bridge
    from s2s_lit.nn.decoders.base import Decoder
    from s2s_lit.nn.embeddings import TokenEmbedding
    from s2s_lit.nn.encoders.base import Encoder
    from s2s_lit.nn.merges import Merge
    from s2s_lit.nn.normalization import Normalization
    from s2s_lit.nn.outputs.base import Output
    from s2s_lit.nn.recurrent import Recurrence
    from s2s_lit.optim.averaging import WeightAveraging
    from s2s_lit.optim.schedules import Schedule
    from s2s_lit.text.sampling import Sampling
    from s2s_lit.text.tokenizer import TokenizerBuilder
    from s2s_lit.text.vocabularies import VocabularyRule

    return {
        "corpus": CorpusSource,
        "filter": Filter,
        "field": Field,
        "tokenizer": TokenizerBuilder,
        "vocabulary": VocabularyRule,
        "sampling": Sampling,
        "batcher": Batcher,
        "model": Model,
        "embedding": TokenEmbedding,
        "encoder": Encoder,
        "recurrence": Recurrence,
        "merge": Merge,
        "normalization": Normalization,
        "bridge": Bridge,
        "decoder": Decoder,
        "attention": Attention,
        "output": Output,
        "loss": Loss,
        "penalty": Penalty,
        "schedule": Schedule,
        "averaging": WeightAveraging,
        "search": Search,
        "metric": TextMetric,
        "task": Task,
    }


def shelf() -> dict[str, list[type]]:
    """All concrete, public parts of each kind, by name."""
    return {kind: sorted(_concrete(base), key=lambda cls: cls.__name__) for kind, base in kinds().items()}


def _concrete(base: type) -> set[type]:
    found: set[type] = set()
    children: list[type] = type.__subclasses__(base)
    for child in children:
        found |= _concrete(child)
    public = base.__module__.startswith("s2s_lit.") and not base.__name__.startswith("_")
    return found | {base} if public and not inspect.isabstract(base) else found


def task_named(name: str) -> type[Task]:
    """The task that tags its runs with `name`.

    Raises:
        UserError: No task has this name.
    """
    import_parts()
    tasks: set[Any] = _concrete(Task)
    found: dict[str, type[Task]] = {cls.name: cls for cls in tasks}
    if name not in found:
        raise UserError(f"no task is called {name!r}{did_you_mean(name, found)} There are: {', '.join(sorted(found))}")
    return found[name]
