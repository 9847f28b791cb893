"""A folder of somebody's own data is looked at: what can be told is told, what cannot is asked for by name."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from s2s_lit.data.sources.discovery import FoundData, find_data
from s2s_lit.data.sources.files import FileCorpus, ParallelText
from s2s_lit.data.sources.headers import has_header
from s2s_lit.data.sources.rows import Row
from s2s_lit.data.sources.splitting import HashSplit
from s2s_lit.errors import UserError

CLASSES: dict[str, Any] = {"FileCorpus": FileCorpus, "ParallelText": ParallelText}
PAIRS = [(f"the dog {i}", f"der Hund {i}") for i in range(40)]


def put(folder: Path, **files: str) -> Path:
    """Files by their names, in which __ is a dot and a first _ a slash."""
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def rows(found: FoundData, split: str) -> list[Row]:
    """As a configuration with it has them."""
    corpus = found.corpus
    settings = dict(corpus["init_args"])
    if corpus["class_path"] == "HashSplit":
        inner = settings.pop("source")
        source = HashSplit(source=CLASSES[inner["class_path"]](**inner["init_args"]), **settings)
    else:
        source = CLASSES[corpus["class_path"]](**settings)
    read = source.rows(split, streaming=True)
    read.require(*found.columns.values())
    return list(read)


TSV = "".join(f"{en}\t{de}\n" for en, de in PAIRS)
JSONL = "".join(json.dumps({"n": i, "en": en, "de": de}) + "\n" for i, (en, de) in enumerate(PAIRS))


@pytest.mark.parametrize(
    ("files", "columns", "told"),
    [
        ({"train__tsv": TSV, "dev__tsv": TSV, "test__tsv": TSV}, ("0", "1"), "without a header"),
        ({"train__csv": "en,de\n" + TSV.replace("\t", ","), "dev__csv": "en,de\na,b\n"},
         ("en", "de"), "comma-separated"),
        ({"pairs__jsonl": JSONL}, ("en", "de"), "JSON lines"),
        ({"train/0__jsonl": JSONL, "train/1__jsonl": JSONL, "test/0__jsonl": JSONL},
         ("en", "de"), r"train \(2 files\)"),
        ({"a__json": json.dumps([{"question": f"q {i}", "id": "x", "answer": f"a{i}"} for i in range(40)])},
         ("question", "answer"), "JSON"),
    ],
)  # fmt: skip
def test_records_are_found(tmp_path: Path, files: dict[str, str], columns: tuple[str, str], told: str) -> None:
    found = find_data(put(tmp_path, **files))
    assert tuple(found.columns.values()) == columns
    assert list(found.columns) == ["source", "target"]
    for split in ("train", "validation", "test"):
        first = rows(found, split)[0]
        assert all(first[column] for column in columns)
    assert "\n" not in found.told
    assert re.search(told, found.told)


@pytest.mark.parametrize("ending", ["", ".txt", ".gz", ".txt.gz"])
@pytest.mark.parametrize("sides", [("src", "tgt"), ("en", "de")])
def test_parallel_text_is_found(tmp_path: Path, ending: str, sides: tuple[str, str]) -> None:
    for split in ("train", "valid", "test"):
        for side, column in zip(sides, (0, 1), strict=True):
            content = "".join(f"{pair[column]}\n" for pair in PAIRS).encode()
            packed = gzip.compress(content) if ending.endswith("gz") else content
            (tmp_path / f"{split}.{side}{ending}").write_bytes(packed)
    (tmp_path / "run.sh").write_text("")
    (tmp_path / "run.py").write_text("")
    if sides == ("en", "de"):
        with pytest.raises(UserError, match=r"'de', 'en': which is the source.*=de --data"):
            find_data(tmp_path)
    found = find_data(tmp_path, columns={"source": sides[0]})
    assert tuple(found.columns.values()) == sides
    for split in ("train", "validation", "test"):
        assert [tuple(row[side] for side in sides) for row in rows(found, split)] == PAIRS


def test_splits_that_are_missing_are_taken_off_by_hash(tmp_path: Path) -> None:
    found = find_data(put(tmp_path, own__tsv=TSV[: len(TSV) // 2]))
    assert "validation (10% of the training texts, by hash), test (10%" in found.told
    splits = {split: {row["0"] for row in rows(found, split)} for split in ("train", "validation", "test")}
    assert all(splits.values())
    assert sum(map(len, splits.values())) == len(set.union(*splits.values()))


def test_tmx_is_found(tmp_path: Path) -> None:
    units = "".join(
        f'<tu><tuv xml:lang="en-US"><seg>{en}</seg></tuv><tuv xml:lang="de-DE"><seg>{de}</seg></tuv></tu>'
        for en, de in PAIRS
    )
    found = find_data(put(tmp_path, memory__tmx=f"<tmx><body>{units}</body></tmx>"))
    assert dict(found.columns) == {"source": "en", "target": "de"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"a__tsv": "hello\thallo\n" + "dog\tHund\n" * 9},
            r"first line of .*a\.tsv name its columns \(hello, hallo",
        ),
        ({"a__tsv": "en\tde\tfr\n" + "a b\tc\td\n" * 9}, "'en', 'de', 'fr': which is the source, which the target"),
        ({"a__tsv": "only\n" * 9}, "which is the source|name its columns"),
        ({"a__xlsx": ""}, r"holds no file that can be read .*a\.xlsx is a spreadsheet: save it as CSV"),
        ({"a__zip": ""}, r"a\.zip is an archive: unpack it"),
        ({"README__md": "hello"}, "holds no file that can be read"),
        ({"test__tsv": TSV}, "has no training split; it has test"),
        ({"a__tsv": TSV, "a__csv": TSV}, "several formats"),
        ({"a__tsv": TSV, "b__en": "a", "b__de": "b"}, "parallel text .* and records"),
        ({"a__tsv": ""}, "has no row|no column"),
        ({"a__tsv": "A dog.\tEin Hund.\n"}, "1 rows have too few different texts to take validation and test off"),
    ],
)
def test_what_cannot_be_told_is_asked_for(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        find_data(put(tmp_path, **files))
    assert "\n" not in str(caught.value)


def test_answers_are_taken(tmp_path: Path) -> None:
    put(tmp_path, a__tsv="hello\thallo\tx y\n" + "".join(f"dog{i}\tHund{i}\tz\n" for i in range(40)))
    by_number = find_data(tmp_path, columns={"source": "0", "target": "1"})
    assert {row["0"] for split in ("train", "validation", "test") for row in rows(by_number, split)} >= {
        "hello",
        "dog1",
    }
    with pytest.raises(UserError, match="no column 'nobody' of text"):
        find_data(tmp_path, columns={"source": "nobody"})
    with pytest.raises(UserError, match="There is no folder"):
        find_data(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("first", "answer"),
    [
        (["source", "target"], True), (["en", "de"], True), (["en-US", "de-DE"], True), (["Question", "Answer"], True),
        (["col_a", "col_b"], True), (["A dog sees a cat.", "x"], False), (["a", "a"], False), (["", "x"], False),
        (["abandonner", "a b ɑ̃"], False), (["12", "13"], False),
    ],
)  # fmt: skip
def test_a_header_is_told_from_a_row(first: list[str], answer: bool) -> None:
    assert has_header([first, *[["the dog", "der Hund"]] * 9]) is answer
    words = has_header([["hello", "hallo"], ["dog", "Hund"]])
    assert words is None
