"""The generated corpus as a source of rows: the same streamed and in memory, generated once, read from disk later."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from s2s_lit.corpora import cache
from s2s_lit.corpora.cache import generated_once, source_hash
from s2s_lit.corpora.captions import source
from s2s_lit.corpora.captions.generate import generate
from s2s_lit.corpora.captions.source import BuiltinCorpus


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("S2S_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "corpora"


@pytest.mark.parametrize("split", ["train", "validation", "test", "test_long"])
def test_builtin_corpus_is_the_same_streamed_and_in_memory(split: str) -> None:
    source = BuiltinCorpus(train_rows=40, evaluation_rows=10, shards=3)
    streamed, in_memory = (source.rows(split, streaming=streaming) for streaming in (True, False))
    assert streamed.num_shards == (3 if split == "train" else 1)
    texts = [(row["en"], row["de"]) for row in in_memory]
    assert [(row["en"], row["de"]) for row in streamed] == texts
    size = 40 if split == "train" else 10
    wanted = {(row["en"], row["de"]) for row in generate(split, seed=1, rows=size)}
    assert len(texts) == size
    assert set(texts) == wanted


def test_rows_can_be_sent_to_a_worker() -> None:
    for streaming in (True, False):
        rows = BuiltinCorpus(train_rows=6, shards=2).rows("train", streaming=streaming)
        assert list(pickle.loads(pickle.dumps(rows))) == list(rows)
        last = [number for number, _ in rows.all()][-1]
        assert rows.place(last) == "the built-in corpus, split train, " + ("shard 2, row 3" if streaming else "row 6")


def test_builtin_corpus_changes_with_its_seed() -> None:
    first, second = (
        [row["en"] for row in BuiltinCorpus(seed=seed, train_rows=9).rows("train", streaming=True)] for seed in (1, 2)
    )
    assert first != second


@pytest.mark.parametrize("streaming", [False, True])
def test_a_corpus_is_generated_once(folder: Path, monkeypatch: pytest.MonkeyPatch, streaming: bool) -> None:
    first = list(BuiltinCorpus(train_rows=20, shards=3).rows("train", streaming=streaming))
    assert len(list(folder.iterdir())) == 3  # a file for each shard, none that is temporary
    monkeypatch.setattr(source, "generate", lambda *_, **__: pytest.fail("it is generated again"))
    for again in (False, True):
        assert list(BuiltinCorpus(train_rows=20, shards=3).rows("train", streaming=again)) == first


@pytest.mark.parametrize("other", [{"seed": 2}, {"train_rows": 21}, {"shards": 2}])
def test_what_the_rows_depend_on_names_the_file(folder: Path, other: dict[str, Any]) -> None:
    settings: dict[str, Any] = {"seed": 1, "train_rows": 20, "shards": 1}
    list(BuiltinCorpus(**settings).rows("train", streaming=False))
    found = list(BuiltinCorpus(**(settings | other)).rows("train", streaming=True))
    wanted = generate("train", seed=other.get("seed", 1), rows=other.get("train_rows", 20))
    assert sorted(row["en"] for row in found) == sorted(row["en"] for row in wanted)


def test_another_grammar_is_another_corpus(tmp_path: Path) -> None:
    hashes = set()
    for name, text in (("a.py", "x = 1"), ("a.py", "x = 2"), ("b.py", "x = 2"), ("entries/a.tsv", "dog\tHund")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        source_hash.cache_clear()
        hashes.add(source_hash(tmp_path))
    assert len(hashes) == 4


ROWS = [{"en": "a\u2028b\n", "de": "ü\r"}, {"en": "", "de": "x"}]


def test_a_damaged_file_is_generated_again_and_mended(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert list(generated_once("key", lambda: ROWS)) == ROWS
    file = next(folder.iterdir())
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    assert list(generated_once("key", lambda: ROWS)) == ROWS
    assert "is damaged" in caplog.text
    assert list(generated_once("key", lambda: pytest.fail("it was not mended"))) == ROWS


def test_a_pass_that_is_left_early_keeps_nothing(folder: Path) -> None:
    next(generated_once("key", lambda: ROWS))
    assert not folder.exists()


def test_a_shard_that_is_too_long_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_MOST_BYTES", 10)
    assert list(generated_once("key", lambda: ROWS)) == ROWS
    assert not folder.exists()


def test_a_full_disk_and_a_folder_that_cannot_be_written_cost_time_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert list(generated_once("key", lambda: ROWS)) == ROWS
    assert "The generated corpus is not cached" in caplog.text
    assert not list(folder.iterdir())
    (folder.parent / "file").write_text("")
    monkeypatch.setenv("S2S_CACHE", str(folder.parent / "file"))
    assert list(generated_once("key", lambda: ROWS)) == ROWS
