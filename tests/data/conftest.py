from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

Row = dict[str, Any]
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _own_caches(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from or left in the user's caches."""
    monkeypatch.setenv("S2S_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def write(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Writes splits as JSON lines in the Hub's layout, the training split in `shards` files."""

    def write(shards: int = 1, **splits: Sequence[Row]) -> Path:
        folder = tmp_path_factory.mktemp("corpus")
        for split, rows in splits.items():
            parts = shards if split == "train" else 1
            size = -(-len(rows) // parts)
            for part in range(parts):
                lines = [json.dumps(row) for row in rows[part * size : (part + 1) * size]]
                (folder / f"{split}-{part:05}-of-{parts:05}.jsonl").write_text("\n".join(lines) + "\n")
        return folder

    return write


def sentence_rows(count: int, start: int = 0) -> list[Row]:
    """Rows with texts of many lengths, all different."""
    return [
        {"en": f"{i} a" + " b" * (i % 7), "de": f"{i} x" + " y" * (i * 5 % 11)} for i in range(start, start + count)
    ]


@pytest.fixture
def corpus(write: Write) -> Path:
    """53 training rows in three files, 11 for validation, 7 for test."""
    return write(shards=3, train=sentence_rows(53), validation=sentence_rows(11, 1000), test=sentence_rows(7, 2000))
