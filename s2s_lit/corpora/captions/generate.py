"""The splits of the generated corpus.

A row depends on the seed, the split and its index alone, so that shards can be made apart from one another. A hash of
the English sentence decides which split the sentence belongs to (test_long goes by length), and a row is drawn again
until its sentence belongs to its own split: no two splits share a sentence. The English determines the German.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from s2s_lit.corpora.captions.drawing.choices import LONG, USUAL, Chooser
from s2s_lit.corpora.captions.drawing.sentences import Sentences
from s2s_lit.corpora.captions.lexicon.tables import load
from s2s_lit.errors import UserError

SPLITS = {"train": 30_000, "validation": 1_000, "test": 1_000, "test_long": 1_000}
"""The splits and their default numbers of rows."""

LENGTHS = {"train": (3, 20), "validation": (3, 20), "test": (3, 20), "test_long": (21, 30)}
"""The least and the greatest number of English words, counted between blanks."""

_HASHES = {"train": range(30), "validation": range(30, 31), "test": range(31, 32), "test_long": range(32)}


def generate(
    split: str, *, seed: int = 1, rows: int | None = None, shard: int = 0, num_shards: int = 1
) -> Iterator[dict[str, str]]:
    """Yields the rows `shard`, `shard + num_shards`, ... of a split as {"en": ..., "de": ...}.

    Args:
        split: One of `SPLITS`.
        seed: Another seed gives other sentences; the splits stay disjoint over seeds, too.
        rows: The split's size over all shards; its default in `SPLITS` if None.
        shard: Which part to yield.
        num_shards: Into how many parts the rows are dealt.

    Raises:
        UserError: No such split or shard.
    """
    if split not in SPLITS:
        raise UserError(f"the built-in corpus has no split {split!r}; it has {', '.join(SPLITS)}")
    if not 0 <= shard < num_shards:
        raise UserError(f"shard must be from 0 to num_shards - 1 = {num_shards - 1}, but is {shard}")
    return _rows(split, seed, SPLITS[split] if rows is None else rows, shard, num_shards)


def _rows(split: str, seed: int, rows: int, shard: int, num_shards: int) -> Iterator[dict[str, str]]:
    for index in range(shard, rows, num_shards):
        english, german = _row(split, seed, index)
        yield {"en": english, "de": german}


def _row(split: str, seed: int, index: int) -> tuple[str, str]:
    """Draws sentences until one has the split's length and hash."""
    shortest, longest = LENGTHS[split]
    chooser = Chooser(_hash(f"{seed}/{split}/{index}"))
    sentences = Sentences(load(), chooser, LONG if split == "test_long" else USUAL)
    while True:
        english, german = sentences.sentence().texts()
        if shortest <= english.count(" ") + 1 <= longest and _hash(english) % 32 in _HASHES[split]:
            return english, german


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
