"""The generated corpus as a source of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from tqdm import tqdm

from s2s_lit.corpora.cache import generated_once, source_hash
from s2s_lit.corpora.captions.generate import SPLITS, generate
from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.rows import Columns, Rows, ShardedRows


class BuiltinCorpus(CorpusSource):
    """The generated English-German corpus of everyday sentences, columns `en` and `de`.

    It is generated once and kept in the cache folder (S2S_CACHE), from which later runs read it.

    Args:
        seed: Another seed, another corpus of the same grammar.
        train_rows: Sentence pairs of the training split.
        evaluation_rows: Sentence pairs of each other split.
        shards: Parts the training split streams in.
    """

    def __init__(
        self, *, seed: int = 1, train_rows: int = 30_000, evaluation_rows: int = 1_000, shards: int = 8
    ) -> None:
        self.seed = seed
        self.train_rows = train_rows
        self.evaluation_rows = evaluation_rows
        self.shards = shards

    def identity(self) -> dict[str, Any]:
        return {"source": "builtin", "seed": self.seed, "train_rows": self.train_rows, "rows": self.evaluation_rows}

    def splits(self, *, streaming: bool) -> Sequence[str]:
        return list(SPLITS)

    def split(self, name: str, *, streaming: bool) -> Rows:
        place = f"the built-in corpus, split {name}"
        count = self.shards if name == "train" else 1
        shards = [partial(self._shard, name, number, count) for number in range(count)]
        if streaming:
            return ShardedRows([(f"{place}, shard {number}", shard) for number, shard in enumerate(shards, 1)])
        whole = chain.from_iterable(shard() for shard in shards)
        rows = list(tqdm(whole, f"generating {name}", self._size(name), leave=False, delay=2, disable=None))
        return ShardedRows([(place, partial(_all, rows))])

    def _size(self, split: str) -> int:
        return self.train_rows if split == "train" else self.evaluation_rows

    def _shard(self, split: str, shard: int, num_shards: int, columns: Columns = None) -> Iterator[dict[str, str]]:
        arguments = {"seed": self.seed, "rows": self._size(split), "shard": shard, "num_shards": num_shards}
        key = f"{source_hash(Path(__file__).parent)} {split} {arguments}"
        return generated_once(key, partial(generate, split, **arguments))


def _all(rows: list[dict[str, str]], columns: Columns) -> list[dict[str, str]]:
    return rows
