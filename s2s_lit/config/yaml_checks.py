"""What a YAML text must be before anything is made of it: text, one document, not too deep, no tag, no key twice."""

from __future__ import annotations

import re
from collections.abc import Iterable

import yaml

DEEPEST = 50
"""Levels of mappings and lists in each other."""
LARGEST = 20_000
"""Values in a document, with all that aliases repeat."""
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HINTS = (
    ("cannot start any token", "a tab cannot indent, and a text that begins so must stand in quotes"),
    ("mapping values are not allowed", "put a text with `: ` in quotes, and each key on a line of its own"),
    ("unexpected end of stream", "close the quotes"),
    ("did not find expected ',' or", "close the brackets"),
    ("did not find expected key", "indent the keys of one mapping alike, and close as many brackets as are opened"),
    ("undefined alias", "define it with & before, or put a text that begins with * in quotes"),
)


class YamlError(yaml.YAMLError):
    """What is wrong with a YAML text; the message goes on after the name of its file."""

    @classmethod
    def of(cls, error: yaml.MarkedYAMLError) -> YamlError:
        """PyYAML's report as one sentence with a place and a remedy."""
        said = f"{error.context or ''} {error.problem or ''}".strip()
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        hint = next((hint for sign, hint in _HINTS if sign in said), "mend that line")
        return cls(f" is no YAML: {said}{place}: {hint}")


def decode(content: bytes) -> str:
    """The text of a file in UTF-8.

    Raises:
        YamlError: It is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise YamlError(f" is not UTF-8 text, line {line}: convert it (iconv -t utf-8)") from error


def require_printable(text: str) -> str:
    """The text itself.

    Raises:
        YamlError: It has a character that YAML does not allow.
    """
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise YamlError(f" has the control character U+{ord(found[0]):04X}, line {line}: take it out")
    return text


def require_sane_events(events: Iterable[yaml.Event]) -> None:
    """Before a tree is made, which could be deeper or larger than any machine bears.

    Raises:
        YamlError: A tag, a second document, an alias within what it repeats, too deep or too large.
    """
    documents = 0
    open_nodes: list[tuple[str | None, int]] = []  # anchors of the open mappings and lists, sizes before them
    sizes: dict[str | None, int] = {}
    size = 0
    for event in events:
        line = f", line {event.start_mark.line + 1}" if event.start_mark is not None else ""
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise YamlError(f" holds several documents{line}: keep one, and take out the `---` before the others")
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_nodes):
                raise YamlError(f" repeats &{event.anchor} within itself{line}: write out what is meant")
            size += sizes.get(event.anchor, 1)
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            if event.tag not in (None, "!"):
                tag = event.tag.replace("tag:yaml.org,2002:", "!!")
                raise YamlError(f" has the tag {tag}{line}: tags are not allowed; write the plain value")
            size += 1
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, size))
            elif event.anchor is not None:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor is not None:
                sizes[anchor] = size - before + 1
        if len(open_nodes) > DEEPEST:
            raise YamlError(f" is nested deeper than {DEEPEST} levels{line}: make it flatter")
        if size > LARGEST:
            raise YamlError(f" holds more than {LARGEST} values with what aliases repeat{line}: shorten it")


def require_unique_keys(node: yaml.Node | None) -> None:
    """Of two equal keys of one mapping a reader would drop the first without a word.

    Raises:
        YamlError: Such keys, or one that is no text.
    """
    waiting, seen = [node], set()
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
            continue
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.tag not in _WORDS:
                shown = repr(key.value) if isinstance(key, yaml.ScalarNode) else "a list or mapping"
                raise YamlError(f": {shown}, line {line}, is no key: a key is a text, put it in quotes")
            if key.value in lines:
                raise YamlError(f": {key.value} stands twice, line {lines[key.value]} and line {line}: keep one")
            lines[key.value] = line
            waiting.append(value)


_WORDS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
