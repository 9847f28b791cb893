"""jsonargparse fed by our reader of YAML, and the one place that reaches what it keeps to itself."""

from __future__ import annotations

from typing import Any

import yaml
from jsonargparse import ArgumentParser, _loaders_dumpers, set_dumper, set_loader

from s2s_lit.config.yaml_files import Loader, parse_value, to_text

TESTED = "4.53"
"""The version of jsonargparse whose inner names these are; a test says when another one is installed."""

MODE = "s2s"
"""What jsonargparse calls our reader and writer."""

set_loader(MODE, parse_value, exceptions=(yaml.YAMLError,))
set_dumper(MODE, to_text)
# Whatever the mode, words become numbers by this one.
_loaders_dumpers.yaml_default_loader = Loader  # type: ignore[assignment]


def empty_parser() -> ArgumentParser:
    """A parser without arguments, whose errors can be caught; its usage is one line, not one of every key."""
    return ArgumentParser(
        prog="s2s train EXPERIMENT",
        usage="s2s train EXPERIMENT [--KEY VALUE ...]",
        exit_on_error=False,
        allow_abbrev=False,
        parser_mode=MODE,
    )


def keys_of(parser: ArgumentParser) -> list[str]:
    """The keys that a parser knows, without those within parts that are chosen."""
    actions: list[Any] = parser._actions
    return [action.dest for action in actions if not action.dest.endswith(".help")]
