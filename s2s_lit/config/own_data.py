"""Somebody's own data by one setting: a folder is looked at, and what is found is written as a data file."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from s2s_lit.config.experiments import FOLDER
from s2s_lit.config.overrides import data_dir_override
from s2s_lit.config.yaml_files import read_mapping, to_text
from s2s_lit.data.sources.discovery import FoundData, find_data
from s2s_lit.data.sources.headers import KEYS
from s2s_lit.errors import UserError
from s2s_lit.processes import rank

_CORPUS = "data.corpus"


def with_folder(
    data_dir: str | None, dataset: str, overrides: Sequence[str], folder: Path = FOLDER
) -> tuple[str, list[str]]:
    """The data set and the changes of a command that may name a folder of data.

    A data set that reads files reads those of the folder; the built-in corpus has none, so that the folder is data by
    itself.

    Raises:
        UserError: As `data_file_for`.
    """
    if data_dir is not None and dataset == "builtin":
        return data_file_for(data_dir, overrides, folder), list(overrides)
    return dataset, [*overrides, *data_dir_override(data_dir, dataset)]


def data_file_for(data_dir: str, overrides: Sequence[str], folder: Path = FOLDER) -> str:
    """The name of the data file for the data in a folder; it is written where there is none, and said.

    A file that was written before is used as it stands, with all that was edited in it.

    Args:
        data_dir: The folder of the data.
        overrides: Words of the command line, which may say the columns.
        folder: Where experiments lie; data files have a folder in it.

    Raises:
        UserError: There are no data, or what they are cannot be told.
    """
    place = str(Path(data_dir).expanduser().resolve())
    files = folder / "data"
    for file in sorted(files.glob("*.yaml")):
        if _folder_of(file) == place:
            _say(f"DATA_DIR is read as {file} says: DATA={file.stem}")
            return file.stem
    found = find_data(Path(data_dir), columns=_given(overrides))
    file = _unused(files, Path(place).name)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# {found.told}\n{to_text(_tree(found), width=110)}", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}") from error
    _say(f"{found.told}. Written to {file}, which can be edited: DATA={file.stem}")
    return file.stem


def _tree(found: FoundData) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, value in {_CORPUS: found.corpus, **{KEYS[side]: name for side, name in found.columns.items()}}.items():
        *parents, key = path.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[key] = value
    return tree


def _folder_of(file: Path) -> str | None:
    """The folder whose data a data file describes, if it was written for one."""
    try:
        node: Any = read_mapping(file)
    except UserError:
        return None
    for key in (*_CORPUS.split("."), "init_args", "data_dir"):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, str) else None


def _given(overrides: Sequence[str]) -> dict[str, str]:
    """The columns that the command line says."""
    words = [part for word in overrides for part in word.split("=", 1)]
    said = dict(pairwise(words))
    return {side: said[f"--{key}"] for side, key in KEYS.items() if f"--{key}" in said}


def _unused(folder: Path, name: str) -> Path:
    """A data file that does not exist yet, named after the folder of the data."""
    plain = re.sub(r"[^\w.-]+", "_", name).strip("._-")[:60] or "own"
    names = [plain, *(f"{plain}_{number}" for number in range(2, 1000))]
    return next(file for each in names if not (file := folder / f"{each}.yaml").exists())


def _say(line: str) -> None:
    if rank() == 0:
        print(line, file=sys.stderr, flush=True)
