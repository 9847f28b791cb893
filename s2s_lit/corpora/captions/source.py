"""The generated corpus as a source of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tqdm import tqdm

from s2s_lit.corpora.captions import SPLITS, generate
from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.hub import DatasetRows
from s2s_lit.data.sources.rows import Rows


class BuiltinCorpus(CorpusSource):
    """The generated English-German corpus of everyday sentences, columns `en` and `de`.

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
        import datasets

        arguments: dict[str, Any] = {
            "shards": list(range(self.shards if name == "train" else 1)),  # a list: `datasets` streams by its items
            "split": name,
            "seed": self.seed,
            "rows": self.train_rows if name == "train" else self.evaluation_rows,
            "num_shards": self.shards if name == "train" else 1,
        }
        if streaming:
            return DatasetRows(datasets.IterableDataset.from_generator(_generated, gen_kwargs=arguments))
        # not Dataset.from_generator: it would keep the sentences of an older grammar on disk
        rows = tqdm(_generated(**arguments), f"generating {name}", arguments["rows"], leave=False, delay=2)
        return DatasetRows(datasets.Dataset.from_list(list(rows)))


def _generated(shards: Sequence[int], split: str, seed: int, rows: int, num_shards: int) -> Iterator[dict[str, str]]:
    for shard in shards:
        yield from generate(split, seed=seed, rows=rows, shard=shard, num_shards=num_shards)
