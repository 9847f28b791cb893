"""Which files of a folder or a repository belong to which split, told by their names or by its README."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

import yaml

from s2s_lit.data.sources.base import SAME_SPLIT
from s2s_lit.data.sources.places import bare, is_data
from s2s_lit.data.sources.readers.formats import READERS, ending_of
from s2s_lit.errors import UserError

_SHARD = re.compile(r"^(?P<split>[\w.]*\w)-\d{3,}(-of-\d{3,})?$")
_WORD = re.compile(r"[^\W_]+")
_ORDER = {names[0]: number for number, names in enumerate(SAME_SPLIT)}
_KEYWORDS = {name: names[0] for names in SAME_SPLIT for name in names}


def splits_of(names: Iterable[str], readme: str = "", config: str | None = None) -> dict[str, list[str]]:
    """The files of each split by name, training first; all of them are `train` where no name tells a split.

    Args:
        names: Paths of files within the folder, with slashes.
        readme: The README, whose head may list the files of each configuration, as on the Hugging Face Hub.
        config: The configuration, where there are several: one of the README's, or a folder.

    Raises:
        UserError: there is no such configuration, or a split has files of several formats.
    """
    data = sorted(name for name in names if ending_of(bare(name)) in READERS and is_data(name))
    configurations = _configurations(readme)
    if configurations:
        splits = _configured(data, configurations, config)
    else:
        within = [name for name in data if config is None or name.startswith(f"{config}/")]
        if config is not None and not within:
            folders = sorted({str(PurePosixPath(name).parent) for name in data} - {"."})
            raise UserError(
                f"The data has no configuration {config!r}; its folders are {', '.join(folders) or 'none'} "
                "(data.corpus.name)."
            )
        splits = _by_name(within, skipped=len(config) + 1 if config else 0)
    for split, files in splits.items():
        endings = sorted({ending_of(bare(name)) for name in files})
        if len(endings) > 1:
            raise UserError(
                f"The split {split!r} has files of several formats ({', '.join(endings)}), which may be the same rows "
                "twice: remove all but one, or name the files that are meant (FileCorpus)."
            )
    return dict(sorted(splits.items(), key=lambda each: (_ORDER.get(each[0], len(_ORDER)), each[0])))


def _by_name(names: Sequence[str], skipped: int) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {}
    for name in names:
        splits.setdefault(split_of(name[skipped:]), []).append(name)
    if "" in splits:
        unnamed = splits.pop("")
        if not splits:
            return {"train": unnamed}
    return splits


def split_of(name: str) -> str:
    """The split that a file's path names: `train` in train.csv, train/0.csv, de-train.csv; empty if it names none."""
    path = PurePosixPath(name)
    stem = bare(path.name).partition(".")[0]
    for part in (stem, *reversed(path.parent.parts)):
        words = [_KEYWORDS[word] for word in _WORD.findall(part.lower()) if word in _KEYWORDS]
        shard = _SHARD.match(part)
        if shard and shard["split"].lower() not in _KEYWORDS:
            return shard["split"]
        if words:
            return words[-1]
    return ""


def _configurations(readme: str) -> Mapping[str, Any]:
    """The configurations with files that the head of a README lists."""
    head = re.match(r"\ufeff?---\r?\n(.*?)\r?\n---", readme, re.DOTALL)
    try:
        listed = (yaml.safe_load(head[1]) or {}).get("configs") if head else None
        return {each["config_name"]: each["data_files"] for each in listed or () if "data_files" in each}
    except (yaml.YAMLError, AttributeError, TypeError, KeyError, ValueError, RecursionError):
        return {}


def _configured(data: Sequence[str], configurations: Mapping[str, Any], config: str | None) -> dict[str, list[str]]:
    only = next(iter(configurations)) if len(configurations) == 1 else "default"
    chosen = config or only
    if chosen not in configurations:
        raise UserError(
            f"The data has {'no' if config else 'several'} configuration{f' {config!r}' if config else 's'}; there are "
            f"{', '.join(map(str, configurations))} (data.corpus.name)"
        )
    files = configurations[chosen]
    if isinstance(files, str) or all(isinstance(each, str) for each in files):
        files = [{"split": "train", "path": files}]
    splits: dict[str, list[str]] = {}
    for each in files:
        patterns = [each["path"]] if isinstance(each["path"], str) else each["path"]
        splits[str(each["split"])] = [name for name in data if any(fnmatchcase(name, pattern) for pattern in patterns)]
    return {split: found for split, found in splits.items() if found}
