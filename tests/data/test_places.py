"""Names of files: hidden ones are no data, every legal name works, what cannot be read is refused by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from s2s_lit.data.sources.files import FileCorpus
from s2s_lit.data.sources.hub import HubCorpus
from s2s_lit.data.sources.layout import splits_of
from s2s_lit.data.sources.places import found, shown
from s2s_lit.errors import UserError

GOOD = '{"en": "a", "de": "x"}\n'
STALE = '{"en": "stale", "de": "x"}\n'
HIDDEN = [
    ".part.jsonl", "._part.jsonl", "part.jsonl~", "#part.jsonl#", "part.bak", "part.jsonl.bak", "part.tmp.jsonl.tmp",
    ".part.jsonl.swp", "part.jsonl.part", "part.jsonl.crdownload", ".ipynb_checkpoints/part-checkpoint.jsonl",
    "__MACOSX/part.jsonl", "README.json", "LICENSE.txt", "dataset_info.json", "state.json",
]  # fmt: skip


@pytest.mark.parametrize("name", ["", "*", "*.jsonl", "*.jsonl*", "**/*.jsonl", "**/*"])
def test_hidden_and_backup_files_are_no_data(tmp_path: Path, name: str) -> None:
    for hidden in HIDDEN:
        (tmp_path / hidden).parent.mkdir(exist_ok=True)
        (tmp_path / hidden).write_text(STALE)
    (tmp_path / "part.jsonl").write_text(GOOD)
    if name in ("*", "**/*"):  # a pattern that means all files means READMEs too
        for about in HIDDEN[-4:]:
            (tmp_path / about).unlink()
    rows = FileCorpus(files={"train": name or str(tmp_path)}, data_dir=tmp_path).rows("train", streaming=True)
    assert [row["en"] for row in rows] == ["a"]
    assert [row["en"] for row in HubCorpus(data_dir=tmp_path).rows("train", streaming=True)] == ["a"]


def test_a_file_that_is_named_is_read_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / ".own.jsonl").write_text(GOOD)
    assert found(".own.jsonl", tmp_path) == [str(tmp_path / ".own.jsonl")]


NAMES = ["a b", "a[1]", "a*b", "a?b", "{a}", "ä ö", "a\nb", "a'b\"c", "~a", "#a", "a;b", "%20", "a\\b", "-a", "$a"]


@pytest.mark.parametrize("name", NAMES)
def test_every_legal_name_works(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / f"x{name}.jsonl").write_text(GOOD)
    whole = str(folder / f"x{name}.jsonl")
    assert found(f"x{name}.jsonl", folder) == [whole]
    assert found("*.jsonl", folder) == [whole]
    assert found(str(folder / "x*.jsonl"), None) == [whole]
    assert found(".", folder) == [whole]
    monkeypatch.chdir(tmp_path)
    assert found(f"{name}/x{name}.jsonl", None) == [f"{name}/x{name}.jsonl"]
    assert [row["en"] for row in HubCorpus(data_dir=folder).rows("train", streaming=True)] == ["a"]
    rows = FileCorpus(files={"train": whole}).rows("train", streaming=True)
    assert "\n" not in rows.place(0)


def test_a_name_that_is_no_text_is_read_and_can_be_printed(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.jsonl")
    (tmp_path / name).write_text(GOOD)
    source = FileCorpus(files={"train": [name]}, data_dir=tmp_path)
    assert [row["en"] for row in source.rows("train", streaming=True)] == ["a"]
    source.rows("train", streaming=True).place(0).encode()
    str(source.identity()).encode()
    assert shown("a\nb") == "a\\nb"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("train.xlsx", "a spreadsheet: save it as CSV"),
        ("train.zip", "an archive: unpack it"),
        ("train.tar.gz", "its ending tells no format|an archive"),
        ("train.jsonl.zst", "packed with zstd"),
        ("train.pkl", "not safe to read: save it as JSON lines"),
    ],
)
def test_what_is_not_read_is_refused_with_the_remedy(tmp_path: Path, name: str, remedy: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    with pytest.raises(UserError, match=rf"{name}.*{remedy}|train\.tar: .*{remedy}"):
        FileCorpus(files={"train": name}, data_dir=tmp_path).rows("train", streaming=True)
    for source in (FileCorpus(files={"train": str(tmp_path)}), HubCorpus(data_dir=tmp_path)):
        with pytest.raises(UserError, match=r"holds no file that can be read"):
            source.rows("train", streaming=True)


def test_a_folder_of_several_formats_is_asked_about(tmp_path: Path) -> None:
    for name in ("train.csv", "train.jsonl"):
        (tmp_path / name).write_text(GOOD)
    with pytest.raises(UserError, match=r"several formats \(csv, jsonl\), which may be the same rows twice"):
        found(str(tmp_path), None)
    with pytest.raises(UserError, match=r"split 'train' has files of several formats \(csv, jsonl\)"):
        HubCorpus(data_dir=tmp_path).rows("train", streaming=True)


@pytest.mark.parametrize("name", ["~nobody-of-that-name/x.jsonl", "x" * 5000, "a\0b", "[", "**", "missing/*.jsonl"])
def test_a_name_of_no_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"There is no file|cannot be read|holds no file"):
        found(name, tmp_path)


# ---- splits by name ----


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["a.csv", "b.csv"], {"train": ["a.csv", "b.csv"]}),
        (["train.csv", "dev.csv", "test.csv"],
         {"validation": ["dev.csv"], "test": ["test.csv"], "train": ["train.csv"]}),
        (["train/0.csv", "val/0.csv"], {"train": ["train/0.csv"], "validation": ["val/0.csv"]}),
        (["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"], None),
        (["test_long-00000-of-00001.parquet", "train-00000-of-00001.parquet"],
         {"test_long": ["test_long-00000-of-00001.parquet"], "train": ["train-00000-of-00001.parquet"]}),
        (["fre_train.tsv", "fre_dev.tsv"], {"validation": ["fre_dev.tsv"], "train": ["fre_train.tsv"]}),
        (["training-set/test.csv"], {"test": ["training-set/test.csv"]}),
        (["constraint.csv", "latest.csv"], {"train": ["constraint.csv", "latest.csv"]}),
        (["validation.en.parquet"], {"validation": ["validation.en.parquet"]}),
    ],
)  # fmt: skip
def test_names_tell_the_split(names: list[str], splits: dict[str, list[str]] | None) -> None:
    assert splits_of([*names, "README.md", ".hidden.csv"]) == (splits or {"train": names})


def test_configurations_are_the_readmes_or_folders() -> None:
    names = ["en/train.csv", "de/train.csv", "de/test.csv"]
    assert splits_of(names, config="de") == {"test": ["de/test.csv"], "train": ["de/train.csv"]}
    readme = "---\nconfigs:\n- {config_name: one, data_files: en/*}\n- {config_name: two, data_files: de/t*.csv}\n---"
    assert splits_of(names, readme, "one") == {"train": ["en/train.csv"]}
    with pytest.raises(UserError, match="several configurations; there are one, two"):
        splits_of(names, readme)
    with pytest.raises(UserError, match="no configuration 'three'; there are one, two"):
        splits_of(names, readme, "three")
    assert splits_of(names, "---\n: [broken\n---", "en") == {"train": ["en/train.csv"]}
