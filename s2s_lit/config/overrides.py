"""Changes of a configuration as words of the command line: `--KEY=VALUE`, `--KEY=null`."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from s2s_lit.errors import UserError


def words_of(changes: Mapping[str, Any], within: str = "") -> list[str]:
    """The words of changes with dotted or nested keys; a mapping with a `class_path` is the value of its key."""
    words: list[str] = []
    for key, value in changes.items():
        if isinstance(value, Mapping) and "class_path" not in value:
            words += words_of(value, f"{within}{key}.")
        else:
            plain = value if isinstance(value, str) else json.dumps(value, default=str)
            words.append(f"--{within}{key}={plain}")
    return words


def data_dir_override(folder: str | None, dataset: str) -> list[str]:
    """The change that makes the files of `folder` be read; none without a folder.

    Raises:
        UserError: This data has no files.
    """
    if folder is None:
        return []
    if dataset == "builtin":
        raise UserError(
            "DATA_DIR is the folder of data that has files; the built-in corpus has none: give DATA too "
            "(make experiments lists them)"
        )
    return [f"--data.corpus.data_dir={folder}"]


def parse_words(parser: ArgumentParser, arguments: Sequence[str], **given: Any) -> Namespace:
    """The configuration that the words of a command line make.

    `--KEY=null` takes a part of a part out, which jsonargparse can only do from a file; it is done last.
    """
    arguments = without_overruled_nulls(joined_nulls(arguments))
    nulls = [word for word in arguments if word.endswith("=null")]
    config = parser.parse_args([word for word in arguments if word not in nulls], **given)
    others = [word for word in nulls if not take_out(config, word.removeprefix("--").removesuffix("=null"))]
    return parser.parse_args(others, defaults=False, namespace=config) if others else config


def joined_nulls(arguments: Sequence[str]) -> list[str]:
    """The words with `--KEY=null` for `--KEY null`."""
    joined: list[str] = []
    for word in arguments:
        if word == "null" and joined and joined[-1].startswith("--") and "=" not in joined[-1]:
            joined[-1] += "=null"
        else:
            joined.append(word)
    return joined


def without_overruled_nulls(arguments: Sequence[str]) -> list[str]:
    """The words without each `--KEY=null` after which the key, or one within it, is set again: the later wins."""
    kept: list[str] = []
    later: list[str] = []
    for word in reversed(arguments):
        key = word.partition("=")[0]
        if not (word.endswith("=null") and any(f"{set_again}.".startswith(f"{key}.") for set_again in later)):
            kept.append(word)
        later.append(key)
    return kept[::-1]


def take_out(config: Namespace, key: str) -> bool:
    """Sets the part at `key` to None; False where there is no part.

    Raises:
        UserError: what the part belongs to cannot be without it.
    """
    owner, (*path, name) = config, key.split(".")
    for step in path:
        owner = _settings(owner).get(step)
        if not isinstance(owner, Namespace):
            return False
    settings = _settings(owner)
    if not isinstance(settings.get(name), Namespace) or "class_path" not in settings[name]:
        return False
    module, _, cls = str(owner.get("class_path", "")).rpartition(".")
    if cls and inspect.signature(getattr(importlib.import_module(module), cls)).parameters[name].default is not None:
        raise UserError(f"{key}: {cls} cannot be without its {name}, on the command line")
    settings[name] = None
    return True


def _settings(node: Namespace) -> Namespace:
    """The settings of a part, or the part itself where it has none of its own (the root)."""
    return node.init_args if "init_args" in node else node
