from __future__ import annotations

import hashlib
import io
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from s2s_lit.errors import UserError
from s2s_lit.text import cache
from s2s_lit.text.sentencepiece import SentencePiece
from s2s_lit.text.symbols import Symbols
from s2s_lit.text.tokenizer import Tokenizer, tokenizer_from_state
from s2s_lit.text.vocabularies import SparseVocabulary
from s2s_lit.text.words import Words


class Counting(Words):
    """Words that count how often they are trained."""

    trainings = 0

    def train(self, texts: Sequence[str], name: str = "text") -> Tokenizer:
        Counting.trainings += 1
        return super().train(texts, name)


@pytest.fixture(autouse=True)
def _from_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "trainings", 0)


def cached(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.*"))


def test_the_second_build_trains_nothing_and_is_the_same(texts: list[str]) -> None:
    first, second = Counting().build(texts), Counting().build(texts, "another name")
    assert Counting.trainings == 1
    assert first.tokens == second.tokens


@pytest.mark.parametrize(
    ("builder", "change"),
    [(Counting(vocabulary=SparseVocabulary(min_count=2)), 0), (Counting(sample_rows=7), 0), (Counting(), 1)],
    ids=["an argument", "another argument", "the text"],
)
def test_whatever_changes_the_result_is_another_entry(texts: list[str], builder: Counting, change: int) -> None:
    Counting().build(texts)
    builder.build(texts[change:])
    assert Counting.trainings == 2


def test_one_letter_of_the_text_counts(texts: list[str]) -> None:
    Counting().build(texts)
    Counting().build([texts[0].swapcase(), *texts[1:]])
    assert Counting.trainings == 2


def test_where_one_text_ends_counts(texts: list[str]) -> None:
    Counting().build(texts)
    Counting().build([f"{texts[0]} {texts[1]}", *texts[2:]])
    assert Counting.trainings == 2


def test_each_kind_of_tokenizer_has_its_own_entry(texts: list[str], own_cache: Path) -> None:
    words, symbols = Words().build(texts), Symbols().build(texts)
    assert len(cached(own_cache)) == 2
    assert (Words().build(texts).tokens, Symbols().build(texts).tokens) == (words.tokens, symbols.tokens)
    assert words.tokens != symbols.tokens


def test_another_sentencepiece_builds_anew(texts: list[str], monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    SentencePiece(vocab_size=70).build(texts)
    monkeypatch.setattr("sentencepiece.__version__", "0.0.1")
    SentencePiece(vocab_size=70).build(texts)
    assert len(cached(own_cache)) == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_file_is_built_again(
    texts: list[str], damage: str, own_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = Counting().build(texts)
    (path,) = cached(own_cache)
    whole = path.read_bytes()
    middle = whole.index("läuft".encode())
    damaged = {
        "cut": whole[: len(whole) // 2],
        "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "empty": b"",
        "other": _saved({"key": "x", "state": {}}),
    }
    path.write_bytes(damaged[damage])
    with caplog.at_level(logging.WARNING):
        again = Counting().build(texts)
    assert Counting.trainings == 2
    assert str(path) in caplog.text
    assert again.tokens == wanted.tokens
    assert path.read_bytes() == whole


def _saved(value: object) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return hashlib.sha256(file.getvalue()).digest() + file.getvalue()


def test_a_folder_that_cannot_be_written_costs_the_cache_only(
    texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("S2S_CACHE", str(tmp_path / "file"))
    assert len(Counting().build(texts)) > 4
    assert "S2S_CACHE" in caplog.text


def test_a_write_that_fails_leaves_nothing_behind(
    texts: list[str], own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    Counting().build(texts)
    assert cached(own_cache) == []


def test_folders_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2S_CACHE", "/own")
    monkeypatch.setenv("XDG_CACHE_HOME", "/shared")
    assert cache.folder() == Path("/own")
    monkeypatch.delenv("S2S_CACHE")
    assert cache.folder() == Path("/shared/s2s_lit")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.folder() == Path.home() / ".cache" / "s2s_lit"


@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_no_text_is_the_users_to_mend(texts: list[str]) -> None:
    with pytest.raises(UserError, match=r"no text for source, .*data\.columns"):
        Words().build(texts, "source")


@pytest.mark.parametrize("name", ["os.system", "s2s_lit.text.tokenizer.TokenizerBuilder"])
def test_a_state_may_name_tokenizers_only(name: str) -> None:
    with pytest.raises(ValueError, match="not a tokenizer"):
        tokenizer_from_state({"class": name, "state": {}})
