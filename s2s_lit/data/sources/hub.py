"""Corpora that are read through `datasets`: repositories of the Hugging Face Hub, and folders laid out like one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.formats import rows_of
from s2s_lit.data.sources.rows import SHARD_BITS, Malformed, Row, Rows, reason_of, shard_and_row
from s2s_lit.errors import UserError

if TYPE_CHECKING:  # importing it takes a second, which is spent when data is read
    from datasets import Dataset, IterableDataset

_READ = 1000  # rows taken from `datasets` at once: ten times faster than one by one
_PATIENCE_S = 4.0  # for the Hub to answer


class DatasetRows(Rows):
    """The rows of a split as `datasets` has it.

    Args:
        data: The split, in memory (one shard) or streaming (as many shards as it has files).
        name: What the split is called in messages.
    """

    def __init__(self, data: Dataset | IterableDataset, name: str = "the data") -> None:
        self._data = data
        self._name = name
        self.num_shards = getattr(data, "num_shards", None) or 1

    def numbered(self, shards: Iterable[int]) -> Iterator[tuple[int, Row | Malformed]]:
        for shard in shards:
            part = self._data if self.num_shards == 1 else self._data.shard(self.num_shards, shard)
            number = shard << SHARD_BITS
            try:
                for batch in part.iter(batch_size=_READ):
                    for row in rows_of(batch) if hasattr(batch, "to_pylist") else _transposed(batch):
                        yield number, row
                        number += 1
            except Exception as error:  # a damaged file: `datasets` has many ways to say so
                raise UserError(
                    f"{self.place(number)} and what follows it cannot be read: {reason_of(error)}"
                ) from error

    def place(self, number: int) -> str:
        shard, row = shard_and_row(number)
        return f"{self._name}, " + (f"shard {shard + 1}, " if self.num_shards > 1 else "") + f"row {row}"


def _transposed(columns: Mapping[str, Sequence[Any]]) -> Iterator[Row]:
    return (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


class HubCorpus(CorpusSource):
    """A repository of the Hugging Face Hub, or a folder laid out like one, as `datasets` reads it.

    A broken line of JSON or CSV ends that, and in CSV a text such as NA or None is a missing field: FileCorpus reads
    these files line by line.

    Args:
        path: The repository, `owner/name`.
        name: Its configuration, where it has several.
        data_dir: A local copy of the repository, read instead of the Hub.
    """

    def __init__(self, *, path: str = "", name: str | None = None, data_dir: Path | None = None) -> None:
        if not path and data_dir is None:
            raise UserError(
                "name the data: data.source.path (a repository of the Hub) or data.source.data_dir (DATA_DIR)"
            )
        self.path = path
        self.name = name
        self.data_dir = None if data_dir is None else Path(data_dir).expanduser()
        self._loaded: dict[bool, Mapping[str, Any]] = {}

    def identity(self) -> dict[str, Any]:
        local = "" if self.data_dir is None else str(self.data_dir)
        return {"source": "hub", "path": self.path, "name": self.name or "", "data_dir": local}

    def splits(self, *, streaming: bool) -> Sequence[str]:
        return list(self._load(streaming))

    def split(self, name: str, *, streaming: bool) -> Rows:
        data = self._load(streaming)[name].with_format("arrow")  # which leaves it to us to find text that is none
        return DatasetRows(data, f"{self._place}, split {name}")

    @property
    def _place(self) -> str:
        return self.path if self.data_dir is None else str(self.data_dir)

    def _load(self, streaming: bool) -> Mapping[str, Dataset | IterableDataset]:
        if streaming not in self._loaded:
            self._loaded[streaming] = self._open(streaming)
        return self._loaded[streaming]

    def _open(self, streaming: bool) -> Mapping[str, Dataset | IterableDataset]:
        if self.data_dir is not None and not self.data_dir.is_dir():
            raise UserError(f"There is no folder {self.data_dir} (DATA_DIR, data.source.data_dir).")
        import datasets
        from datasets.exceptions import DatasetNotFoundError

        place = self._place
        if self.data_dir is None:
            _offline_unless_reachable()
        try:
            splits: Mapping[str, Any] = datasets.load_dataset(place, self.name, streaming=streaming)
            return splits
        except DatasetNotFoundError as error:
            raise UserError(f"The Hub has no data set {place!r}, or it is private (data.source.path).") from error
        except ConnectionError as error:
            raise UserError(
                f"The Hugging Face Hub cannot be reached, so {place!r} cannot be read: train on the built-in corpus "
                "(DATA=builtin), or point DATA_DIR at a local copy of the repository."
            ) from error
        except Exception as error:  # a damaged file, an unknown configuration: `datasets` has many ways to say so
            reason = reason_of(error.__cause__ if isinstance(error.__cause__, Exception) else error)
            raise UserError(f"The data at {place!r} cannot be read: {reason}") from error


def _offline_unless_reachable() -> None:
    """Turns the Hub's offline mode on if its server does not answer within seconds.

    Left alone, its client tries again for half a minute. Offline it takes what was downloaded before, or fails at once.
    """
    import datasets
    import huggingface_hub

    if huggingface_hub.constants.HF_HUB_OFFLINE:
        return
    answered = threading.Event()

    def ask() -> None:
        with contextlib.suppress(Exception):  # whatever the reason, there was no answer
            huggingface_hub.get_session().head(huggingface_hub.constants.ENDPOINT, timeout=_PATIENCE_S)
            answered.set()

    thread = threading.Thread(target=ask, daemon=True)  # a name server may hang longer than any timeout
    thread.start()
    thread.join(_PATIENCE_S)
    if not answered.is_set():
        huggingface_hub.constants.HF_HUB_OFFLINE = True
        datasets.config.HF_HUB_OFFLINE = True
