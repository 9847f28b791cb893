"""What a folder of somebody's own data holds: its format, its columns, its splits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.files import FileCorpus, ParallelText
from s2s_lit.data.sources.headers import has_header, said, source_and_target, text_columns
from s2s_lit.data.sources.layout import split_of, splits_of
from s2s_lit.data.sources.places import bare, expanded, is_data, is_hidden, refuse_folder, shown
from s2s_lit.data.sources.readers.formats import READERS, REFUSED, TABLES, ending_of
from s2s_lit.data.sources.splitting import HashSplit
from s2s_lit.errors import UserError

_LOOKED_AT = 200  # rows
_FRACTIONS = ({"validation": 0.05, "test": 0.05}, {"validation": 0.1, "test": 0.1}, {"validation": 0.2, "test": 0.2})
_SIDE = re.compile(r"(?P<stem>|.*[._-])(?P<side>[A-Za-z]{2,3}([-_][A-Za-z]{2,4})?|source|target)")
_NO_LANGUAGES = ("py", "sh", "md", "log", "yml", "ini", "cfg", "js", "css", "png", "jpg", "gif", "svg", "dev", "val")
_FORMATS = {
    "csv": "comma-separated text", "tsv": "tab-separated text", "txt": "tab-separated text", "jsonl": "JSON lines",
    "ndjson": "JSON lines", "json": "JSON", "parquet": "parquet", "tmx": "TMX",
}  # fmt: skip


@dataclass(frozen=True)
class FoundData:
    """A folder's data, as a configuration names them.

    Attributes:
        corpus: the class of the corpus and its settings.
        columns: the columns of `source` and `target`.
        told: all of it in one line.
    """

    corpus: Mapping[str, Any]
    columns: Mapping[str, str]
    told: str


def find_data(folder: Path, *, columns: Mapping[str, str] | None = None) -> FoundData:
    """Looks at a folder: at the names of its files, and into the first rows of the training split.

    Splits are told by the names of files and folders (train, validation or dev, test); what is missing of them is taken
    off the training split by a hash of the source.

    Args:
        folder: The folder.
        columns: The columns of `source` and `target`, as far as the user says; needed where they cannot be told.

    Raises:
        UserError: there are no data, or more than one reading of them; the message says what to name.
    """
    folder = expanded(folder).resolve()
    if not folder.is_dir():
        raise UserError(f"There is no folder {shown(folder)} (DATA_DIR).")
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    names = sorted(path.as_posix() for path in paths if not is_hidden(path) and is_data(path.name))
    sides = _sides(names)
    parallel = {name for files in sides.values() for name in files.values()}
    records = [name for name in names if ending_of(bare(name)) in READERS and name not in parallel]
    if sides and records:
        raise UserError(
            f"{shown(folder)} holds parallel text ({shown(min(parallel))}) and records ({shown(records[0])}): keep "
            "those that are meant in a folder of their own, or name them in a data file (experiments/data)"
        )
    given = dict(columns or {})
    if sides:
        return _described(folder, *_parallel(folder, sides, given))
    if records:
        return _described(folder, *_records(folder, records, given))
    refuse_folder(folder)


def _sides(names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Files of plain text that belong together, by what their names share: {"train.": {"en": ..., "de": ...}}."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        plain, ending = bare(name), ending_of(bare(name))
        match = _SIDE.fullmatch(plain.removesuffix(".txt"))
        is_plain = ending == "txt" or ending not in {*READERS, *REFUSED}
        if match and is_plain and match["side"] not in _NO_LANGUAGES:
            found.setdefault(name.removesuffix(Path(name).name) + match["stem"], {})[match["side"]] = name
    return {stem: files for stem, files in found.items() if len(files) > 1}


def _parallel(
    folder: Path, sides: Mapping[str, Mapping[str, str]], given: Mapping[str, str]
) -> tuple[str, CorpusSource, dict[str, str]]:
    languages = list(dict.fromkeys(side for files in sides.values() for side in files))
    columns = source_and_target(languages, given, shown(folder), ordered=False)
    files: dict[str, dict[str, list[str]]] = {}
    for stem, members in sides.items():
        if set(columns.values()) <= set(members):
            split = files.setdefault(split_of(f"{stem}x") or "train", {side: [] for side in columns.values()})
            for side in split:
                split[side].append(members[side])
    return "plain text in parallel files", ParallelText(files=files, data_dir=folder), columns  # type: ignore[arg-type]


def _records(folder: Path, names: Sequence[str], given: Mapping[str, str]) -> tuple[str, CorpusSource, dict[str, str]]:
    files = splits_of(names)
    if "train" not in files:
        raise UserError(f"{shown(folder)} has no training split; it has {', '.join(files)} (by the names of its files)")
    corpus = FileCorpus(files=dict(files), data_dir=folder)
    ending = ending_of(bare(files["train"][0]))
    headless = ending in TABLES and not _first_line_is_header(corpus, given)
    rows = corpus.rows("train", streaming=True)
    if headless:
        rows.require("0")
    first = list(islice(rows, _LOOKED_AT))
    if not first:
        raise UserError(f"{shown(folder)}: the training split has no row ({', '.join(map(shown, files['train']))})")
    columns = source_and_target(text_columns(first), given, shown(folder / files["train"][0]), ordered=True)
    return _FORMATS[ending] + (" without a header" if headless else ""), corpus, columns


def _first_line_is_header(corpus: FileCorpus, given: Mapping[str, str]) -> bool:
    """Asks the user where it cannot be told."""
    rows = corpus.rows("train", streaming=True)
    rows.require("0")  # as if there were none
    lines = [list(row.values()) for row in islice(rows, _LOOKED_AT)]
    if given:
        return not all(name.isdecimal() for name in given.values())
    answer = has_header(lines) if lines else True
    if answer is None:
        first, *_ = lines
        place = rows.place(0).rpartition(",")[0]
        raise UserError(
            f"Does the first line of {place} name its columns ({', '.join(first)}), or is it a "
            f"row? If it names them, say so: {said(*first)}; if it is a row, count them from 0: "
            f"{said(*map(str, range(len(first))))}"
        )
    return answer


def _described(folder: Path, kind: str, corpus: Any, columns: Mapping[str, str]) -> FoundData:
    """The description, with a validation and a test split taken off by hash where there is none."""
    settings: dict[str, Any] = {"class_path": type(corpus).__name__, "init_args": {"files": corpus.files}}
    told = [f"{split} ({_count(files)})" for split, files in corpus.files.items()]
    missing = [split for split in ("validation", "test") if split not in corpus.files]
    if missing:
        taken = _taken_off(corpus, columns["source"], missing)
        fractions = {split: taken.fractions[split] for split in missing}
        own = {"column": taken.column, "fractions": fractions, "seed": taken.seed}
        settings = {"class_path": "HashSplit", "init_args": {"source": settings, **own}}
        told += [f"{split} ({fraction:.0%} of the training texts, by hash)" for split, fraction in fractions.items()]
    settings["init_args"]["data_dir"] = str(folder)
    sides = ", ".join(f"{name} {column!r}" for name, column in columns.items())
    return FoundData(settings, columns, f"{shown(folder)}: {kind}; {sides}; {', '.join(told)}")


def _count(files: Any) -> str:
    names = next(iter(files.values())) if isinstance(files, dict) else files
    return Path(names[0]).name if len(names) == 1 else f"{len(names)} files"


def _taken_off(corpus: CorpusSource, column: str, missing: Sequence[str]) -> HashSplit:
    """Splits that each have a row: a small corpus gives more of its rows, by the first seed that will do."""
    rows = corpus.rows("train", streaming=True)
    rows.require(column)
    first = list(islice(rows, 2000))
    for fractions in _FRACTIONS[len(first) < 1000 :]:
        for seed in range(100):
            split = HashSplit(
                source=corpus, column=column, fractions={name: fractions[name] for name in missing}, seed=seed
            )
            if {split.split_of(row) for row in first} == {"train", *missing}:
                return split
    raise UserError(
        f"{shown(corpus.data_dir or '')}: {len(first)} rows have too few different texts to take "
        f"{' and '.join(missing)} off them: give each of those splits a file"
    )
