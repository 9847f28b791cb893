"""Corpora that lie as repositories of the Hugging Face Hub do: there, or in a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.files import rows_of
from s2s_lit.data.sources.hub_client import HubRepository, UnreachableError
from s2s_lit.data.sources.hub_rows import dataset_rows, has_reader
from s2s_lit.data.sources.layout import splits_of
from s2s_lit.data.sources.places import expanded, is_hidden, refuse_folder, shown
from s2s_lit.data.sources.rows import Rows
from s2s_lit.errors import UserError

_Splits = Mapping[str, Callable[[], Rows]]


class HubCorpus(CorpusSource):
    """A repository of the Hugging Face Hub, or a folder laid out like one.

    `datasets` tells which splits a repository has and which files are theirs, by its README or by their names. Files in
    a format that FileCorpus reads are read alike; any other format is read by `datasets`. In memory they are downloaded
    once, to the Hub's cache; streaming, they are read from the Hub on each pass. Without the Hub, what was downloaded
    before is read. A gated or private repository needs the token of `hf auth login`, or HF_TOKEN. No program of a
    repository is run.

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
        self._found: dict[bool, _Splits] = {}

    def identity(self) -> dict[str, Any]:
        named = {"path": self.path, "name": self.name or "", "data_dir": shown(self.data_dir or "")}
        return {"source": "hub", **named, **({"revision": self.revision} if self.revision else {})}

    def splits(self, *, streaming: bool) -> Sequence[str]:
        return list(self._splits(streaming))

    def split(self, name: str, *, streaming: bool) -> Rows:
        return self._splits(streaming)[name]()

    def _splits(self, streaming: bool) -> _Splits:
        if streaming not in self._found:
            if self.data_dir is not None:
                found = _of_folder(expanded(self.data_dir), self.name)
            elif self.path:
                found = self._of_repository(streaming)
            else:
                raise UserError(
                    "name the data: data.corpus.path (a repository of the Hub) or data.corpus.data_dir (DATA_DIR)"
                )
            self._found[streaming] = found
        return self._found[streaming]

    def _of_repository(self, streaming: bool) -> _Splits:
        repository = HubRepository(self.path, self.name, self.revision)
        try:
            builder = repository.builder()
        except UnreachableError:
            folder = repository.cached_folder()
            if folder is None:
                raise
            return _of_folder(folder, self.name)
        if not has_reader(builder.config):
            names = builder.config.data_files or builder.info.splits or ()
            return {str(name): partial(dataset_rows, builder, str(name), streaming) for name in names}
        files: Mapping[Any, Sequence[str]] = builder.config.data_files
        return {str(name): partial(_rows, repository, files[name], streaming) for name in files}


def _rows(repository: HubRepository, files: Sequence[str], streaming: bool) -> Rows:
    return rows_of(list(files) if streaming else repository.downloaded(files))


def _of_folder(folder: Path, name: str | None) -> _Splits:
    if not folder.is_dir():
        raise UserError(f"There is no folder {shown(folder)} (DATA_DIR, data.corpus.data_dir).")
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    names = [path.as_posix() for path in paths if not is_hidden(path)]
    readme = folder / "README.md"
    splits = splits_of(names, readme.read_text("utf-8", "replace") if readme.is_file() else "", name)
    if not splits:
        refuse_folder(folder)
    return {split: partial(rows_of, [str(folder / file) for file in files]) for split, files in splits.items()}
