"""Whether the first line of a table names its columns, and which columns are the source and the target."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from s2s_lit.data.sources.rows import Row, columns_of, listed, value_at
from s2s_lit.errors import UserError

PAIRS = (
    ("source", "target"), ("src", "tgt"), ("src", "trg"), ("input", "output"), ("text", "summary"),
    ("document", "summary"), ("article", "highlights"), ("question", "answer"),
)  # fmt: skip
"""Names of a source and its target that are used everywhere."""

KEYS = {"source": "data.columns.source", "target": "data.columns.target"}
"""Where a configuration says which column is which."""

_KNOWN = {name for pair in PAIRS for name in pair} | {
    "id", "lemma", "form", "features", "word", "phones", "sentence", "translation", "label", "score", "title", "name",
}  # fmt: skip
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z]{2,4})?")
_NAME = re.compile(r"[A-Za-z_]([\w.\-]*\w)?( \w+)?")


def has_header(lines: Sequence[Sequence[str]]) -> bool | None:
    """Whether the first line names the columns; None if it may be a row as well.

    Args:
        lines: The fields of the first lines.
    """
    first, rows = lines[0], lines[1:]
    if len(set(first)) < len(first) or not all(_NAME.fullmatch(field) and len(field) <= 40 for field in first):
        return False
    if any(field.lower() in _KNOWN for field in first) or all(_LANGUAGE.fullmatch(field) for field in first):
        return True
    texts = [[fields[column] for fields in rows if column < len(fields)] for column in range(len(first))]
    sentences = any(values and sum(" " in value.strip() for value in values) > 0.8 * len(values) for values in texts)
    return True if sentences else None


def text_columns(rows: Sequence[Row]) -> list[str]:
    """The columns, in their order, that hold text in most rows."""
    names = list(dict.fromkeys(name for row in rows for name in columns_of(row)))
    texts = [name for name in names if sum(isinstance(value_at(row, name), str) for row in rows) > len(rows) / 2]
    return [name for name in texts if name.partition("-")[0] == name or name.partition("-")[0] not in texts]


def source_and_target(names: Sequence[str], given: Mapping[str, str], place: str, *, ordered: bool) -> dict[str, str]:
    """The columns of the source and of the target.

    Args:
        names: The columns of text.
        given: What the user says of `source` and `target`, as far as he does.
        place: Where they were found, for the user.
        ordered: Whether of two columns the first is the source.

    Raises:
        UserError: it cannot be told; it has to be said.
    """
    if missing := [name for name in given.values() if name not in names]:
        raise UserError(f"{place} has no column {missing[0]!r} of text; it has {listed(names)} ({KEYS['source']})")
    rest = [name for name in names if name not in given.values()]
    if len(given) == 1 and len(rest) == 1:
        return {"source": rest[0], "target": rest[0], **given}
    if len(given) == 2:
        return dict(given)
    lowered = {name.lower(): name for name in names}
    known = [(lowered[source], lowered[target]) for source, target in PAIRS if {source, target} <= set(lowered)]
    if len(known) == 1:
        return dict(zip(("source", "target"), known[0], strict=True))
    if len(names) == 2 and ordered:
        return {"source": names[0], "target": names[1]}
    raise UserError(
        f"{place} has the columns {listed(names)}: which is the source, which the target? Say so: "
        f"{said(*(names or ['NAME']))}"
    )


def said(source: str, *others: str) -> str:
    """How the user says it on the command line: the first column is the source, the last one the target."""
    words = {"source": source, "target": (source, *others)[-1]}
    return " ".join(f"--{KEYS[side]}={shlex.quote(name)}" for side, name in words.items())
