"""Corpora that lie as repositories of the Hugging Face Hub do: there, or in a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.files import rows_of
from s2s_lit.data.sources.hub_client import HubRepository, UnreachableError
from s2s_lit.data.sources.layout import splits_of
from s2s_lit.data.sources.places import expanded, is_hidden, refuse_folder, shown
from s2s_lit.data.sources.rows import Rows
from s2s_lit.errors import UserError


@dataclass(frozen=True)
class _Listing:
    """The files of each split, and how one is found: a path, or a URL with what its server is to be told."""

    splits: Mapping[str, Sequence[str]]
    place: Callable[[str], str]
    headers: Mapping[str, str] = field(default_factory=dict)


class HubCorpus(CorpusSource):
    """A repository of the Hugging Face Hub, or a folder laid out like one.

    Its files are those that FileCorpus reads, and are read alike. Which split they belong to is told by the list in its
    README, or by their names: train.csv, data/train-00000-of-00002.parquet, test/one.jsonl. In memory they are
    downloaded once, to the Hub's cache; streaming, they are read from the Hub on each pass. A gated or private
    repository needs the token of `hf auth login`, or HF_TOKEN.

    Args:
        path: The repository, `owner/name`.
        name: Its configuration, where it has several.
        revision: A branch, a tag or a commit of the repository.
        data_dir: A local copy of the repository, read instead of the Hub.
    """

    def __init__(
        self, *, path: str = "", name: str | None = None, revision: str | None = None, data_dir: Path | None = None
    ) -> None:
        self.path = path
        self.name = name
        self.revision = revision
        self.data_dir = data_dir
        self._listings: dict[bool, _Listing] = {}

    def identity(self) -> dict[str, Any]:
        named = {"path": self.path, "name": self.name or "", "data_dir": shown(self.data_dir or "")}
        return {"source": "hub", **named, **({"revision": self.revision} if self.revision else {})}

    def splits(self, *, streaming: bool) -> Sequence[str]:
        return list(self._listing(streaming).splits)

    def split(self, name: str, *, streaming: bool) -> Rows:
        listing = self._listing(streaming)
        return rows_of([listing.place(file) for file in listing.splits[name]], headers=listing.headers)

    def _listing(self, streaming: bool) -> _Listing:
        if streaming not in self._listings:
            if self.data_dir is not None:
                listing = _of_folder(expanded(self.data_dir), self.name)
            elif self.path:
                listing = self._of_repository(streaming)
            else:
                raise UserError(
                    "name the data: data.corpus.path (a repository of the Hub) or data.corpus.data_dir (DATA_DIR)"
                )
            self._listings[streaming] = listing
        return self._listings[streaming]

    def _of_repository(self, streaming: bool) -> _Listing:
        repository = HubRepository(self.path, self.revision)
        try:
            names = repository.names()
        except UnreachableError:
            folder = repository.cached_folder()
            if folder is None:
                raise
            return _of_folder(folder, self.name)
        readme = Path(repository.download("README.md")).read_text("utf-8", "replace") if "README.md" in names else ""
        splits = splits_of(names, readme, self.name)
        if not splits:
            raise UserError(f"The repository {self.path!r} holds no file that can be read (data.corpus.path).")
        if streaming:
            return _Listing(splits, repository.url, repository.headers())
        return _Listing(splits, repository.download)


def _of_folder(folder: Path, name: str | None) -> _Listing:
    if not folder.is_dir():
        raise UserError(f"There is no folder {shown(folder)} (DATA_DIR, data.corpus.data_dir).")
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    names = [path.as_posix() for path in paths if not is_hidden(path)]
    readme = folder / "README.md"
    splits = splits_of(names, readme.read_text("utf-8", "replace") if readme.is_file() else "", name)
    if not splits:
        refuse_folder(folder)
    return _Listing(splits, partial(_within, folder))


def _within(folder: Path, name: str) -> str:
    return str(folder / name)
