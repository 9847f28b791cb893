"""Contiguous text: the targets of successive rows as one example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from s2s_lit.types import EOS, TARGET, Example


def joined(examples: Iterable[Example], tokens: int) -> Iterator[Example]:
    """Examples `t1 EOS t2 EOS ... tk` of whole rows in their order, each of the fewest rows that have `tokens` tokens.

    The end marks count; the last one is added by the collation. What is left at the end is an example, too, so that no
    token is lost. The texts are lines, and `row` is that of the first.
    """
    rows: list[Example] = []
    length = 0
    for example in examples:
        rows.append(example)
        length += len(example.target) + 1
        if length >= tokens:
            yield _one(rows)
            rows, length = [], 0
    if rows:
        yield _one(rows)


def _one(rows: list[Example]) -> Example:
    ids = [token for row in rows for token in (EOS, *row.target)][1:]
    text = "\n".join(row.texts[TARGET] for row in rows)
    reference = "\n".join(row.references[0] for row in rows)
    return replace(rows[0], target=ids, texts={TARGET: text}, references=(reference,))
