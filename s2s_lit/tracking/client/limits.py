"""What MLflow takes: flat parameters, names of certain characters, texts of limited length."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

MAX_PARAM, MAX_TAG, MAX_KEY, CHUNK = 6000, 8000, 250, 100


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys and texts of the leaves; lists of plain values are one leaf, lists with mappings go by position.

    The keys of a configuration are those that a user types, see `readable`.
    """
    for key, value in tree.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
            value = {str(position): item for position, item in enumerate(value)}
        if isinstance(value, Mapping):
            yield from flatten(value, f"{dotted}.")
        else:
            yield readable(dotted), str(value)


def readable(key: str) -> str:
    """The key of a setting as a user types it: `model.encoder.dropout`, and `model.encoder` for the part's class."""
    return key.replace(".init_args", "").removesuffix(".class_path")


def clean(key: str) -> str:
    """MLflow takes letters, digits and `_-. :/` in names."""
    return re.sub(r"[^\w\-. :/]", "_", key)[:MAX_KEY]


def cut(text: str, limit: int) -> str:
    """`text`, or its beginning and an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def tokens(key: str, text: str) -> Iterator[tuple[str, str]]:
    """`text` as parameters: what is too long for one goes on under `key:2`, `key:3` and so on."""
    yield key, text[:MAX_PARAM]
    for number, start in enumerate(range(MAX_PARAM, len(text), MAX_PARAM), 2):
        yield f"{key}:{number}", text[start : start + MAX_PARAM]


def chunks(values: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The same items in parts that one call may carry."""
    items = list(values.items())
    for start in range(0, len(items), CHUNK):
        yield dict(items[start : start + CHUNK])
