"""What a checkpoint holds, and the parts of its configuration that using the model takes: no corpus, no trainer."""

from __future__ import annotations

import functools
from argparse import ArgumentError
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from s2s_lit.checkpoint_files import load_checkpoint
from s2s_lit.config.explain import explain
from s2s_lit.config.jsonargparse_adapter import empty_parser
from s2s_lit.config.objections import objections
from s2s_lit.config.overrides import parse_words
from s2s_lit.config.yaml_files import read_mapping_text
from s2s_lit.data.fields.base import Field
from s2s_lit.data.fields.fields import Fields
from s2s_lit.decoding.search import Search
from s2s_lit.errors import UserError
from s2s_lit.models.base import Model
from s2s_lit.text.tokenizer import TokenizerBuilder

UNREADABLE = "this version does not read the checkpoint's configuration"
"""How the message begins where that is so."""


def read(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint holds.

    Raises:
        UserError: The file is unreadable, torn or not of this program.
    """
    content = load_checkpoint(checkpoint)
    try:
        own: dict[str, Any] = content["s2s_lit"]
        if "fields" not in own:
            raise ValueError("it is of version 0.1, which this version does not read: use that version, or train anew")
        own["config"].splitlines(), content["state_dict"].keys()
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{checkpoint} is not a readable checkpoint of s2s_lit ({error})") from error
    return content


def take_vocabularies(fields: Fields, own: Mapping[str, Any]) -> None:
    """Gives fields the tokenizers that a checkpoint keeps, in its part of this program.

    Raises:
        UserError: They are not those of these fields, or no tokenizers.
    """
    try:
        fields.load_state(own["fields"])
    except (LookupError, TypeError, ValueError, AttributeError, ImportError) as error:
        raise UserError(f"the checkpoint's vocabularies cannot be read ({error})") from error


def stored_parts(text: str, overrides: Sequence[str] = ()) -> Namespace:
    """The parts that a stored configuration names, made: `model` (a factory), `data`'s fields, `task`'s search.

    Raises:
        UserError: The configuration is not one of this version, or a change is none that a trained model can have.
    """
    tree = read_mapping_text(text, f"{UNREADABLE}: it")
    parser = _parser()
    try:
        data, settings = tree["data"], tree["task"]["init_args"]
        chosen = {
            "model": tree["model"],
            "data": {key: data[key] for key in ("fields", "tokenizer", "eval_batch_size")},
            "task": {key: settings[key] for key in ("search", "replace_unknown") if key in settings},
        }
        config = parser.parse_object(chosen)
    except (ArgumentError, LookupError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise UserError(f"{UNREADABLE}: {explain(str(error), parser, (), ())}") from error
    try:
        config = parse_words(parser, overrides, defaults=False, namespace=config)
    except ArgumentError as error:
        raise UserError(explain(str(error), parser, (), overrides)) from error
    with objections():
        return parser.instantiate(config)


@functools.cache
def _parser() -> ArgumentParser:
    """The keys have the names that they have in the configuration of a training, so that the same changes work."""
    import s2s_lit.decoding as decoding

    for module in iter_modules(decoding.__path__):  # a search must be imported to be named without its module
        import_module(f"{decoding.__name__}.{module.name}")
    parser = empty_parser()
    parser.add_argument("--model", type=Callable[[Mapping[str, int]], Model])
    parser.add_argument("--data.fields", type=dict[str, Field])
    parser.add_argument("--data.tokenizer", type=TokenizerBuilder | None)
    parser.add_argument("--data.eval_batch_size", type=int, default=64)
    parser.add_argument("--task.search", type=Search | None)
    parser.add_argument("--task.replace_unknown", type=bool, default=False)
    return parser
