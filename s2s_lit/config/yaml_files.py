"""The one reader of YAML: experiments, data, sweeps, checkpoints' configurations and values on the command line.

Plain values are those of YAML 1.2's core schema, wherever they stand: `true` and `false`, `null` and `~`, integers (10,
0x1f, 0o17), floats (0.1, 1e-3, .inf, .nan). All else is text: yes, no, on, off, 1_000, 12:30, 2024-01-31.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from s2s_lit.config.yaml_checks import YamlError, decode, require_printable, require_sane_events, require_unique_keys
from s2s_lit.errors import UserError

PLAIN = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    "merge": (r"<<", ["<"]),
}
"""What a plain value looks like that is no text, and the characters that it begins with."""


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML's safe loader with the schema above."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 (PyYAML's own attribute)

    def construct_int(self, node: yaml.Node) -> int:
        text = self.construct_scalar(node)
        return int(text, 0) if re.match("0[ox]", text) else int(text)


class _Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper, which also quotes text that this reader would take for a number."""


for _kind, (_pattern, _first) in PLAIN.items():
    for _class in (Loader, _Dumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_pattern})$"), _first)
Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_int)


def read_mapping(file: Path) -> dict[str, Any]:
    """What a file of keys and values holds.

    Raises:
        UserError: It cannot be read, is no YAML, or holds something else, with file, line and remedy.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror or error}") from error
    try:
        return _mapping(parse(decode(content)))
    except YamlError as error:
        raise UserError(f"{file}{error}") from error


def read_mapping_text(text: str, name: str) -> dict[str, Any]:
    """The same of a text, which messages call `name`."""
    try:
        return _mapping(parse(text))
    except YamlError as error:
        raise UserError(f"{name}{error}") from error


def parse(text: str) -> Any:
    """The one document of a YAML text: mappings, lists and plain values.

    Raises:
        YamlError: It is none; the message goes on after the name of the file.
    """
    try:
        require_sane_events(yaml.parse(require_printable(text), Loader=Loader))
        loader = Loader(text)
        try:
            node = loader.get_single_node()
            require_unique_keys(node)
            return None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except YamlError:
        raise
    except yaml.MarkedYAMLError as error:
        raise YamlError.of(error) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise YamlError(f" is no YAML: {' '.join(str(error).split())}; mend it") from error


def parse_value(text: str, path: str = "") -> Any:
    """What jsonargparse calls: a whole configuration file, or, without a path, one value of the command line.

    As jsonargparse's own loader does, it takes `word:` for text where it is a value.
    """
    value = parse(text)
    lone = not path and isinstance(value, dict) and [f"{key}:" for key in value] == [text.strip()]
    return text if lone else value


def to_text(tree: Any, width: int = 80) -> str:
    """A tree as YAML that `parse` reads as the same tree, in lines of about `width` characters."""
    return yaml.dump(tree, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, sort_keys=False, width=width)


def _mapping(tree: Any) -> dict[str, Any]:
    if tree is None:
        raise YamlError(" is empty: write {} for a file without settings")
    if not isinstance(tree, dict):
        kind = "a list" if isinstance(tree, list) else "a single value"
        raise YamlError(f" holds {kind}, not keys with their values: write `key: value` lines")
    return tree


def first_comment(file: Path) -> str:
    """The first line of a file without its mark; an empty text if it is no comment."""
    line = file.read_bytes().partition(b"\n")[0].decode("utf-8-sig", errors="replace")
    return line.removeprefix("#").strip() if line.startswith("#") else ""
