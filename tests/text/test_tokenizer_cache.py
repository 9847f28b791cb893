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
from s2s_lit.text.tokenizer import TokenizerPair
from s2s_lit.text.vocabularies import SparseVocabulary
from s2s_lit.text.words import Words

Pairs = list[tuple[str, str]]


class Counting(Words):
    """Words that count how often they are trained."""

    trainings = 0

    def train(self, pairs: Sequence[tuple[str, str]]) -> TokenizerPair:
        Counting.trainings += 1
        return super().train(pairs)


@pytest.fixture(autouse=True)
def _from_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "trainings", 0)


def cached(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.*"))


def test_the_second_build_trains_nothing_and_is_the_same(pairs: Pairs) -> None:
    first, second = Counting().build(pairs), Counting().build(iter(pairs))
    assert Counting.trainings == 1
    assert first.source.tokens == second.source.tokens
    assert first.target.tokens == second.target.tokens


@pytest.mark.parametrize(
    ("builder", "change"),
    [(Counting(vocabulary=SparseVocabulary(min_count=2)), 0), (Counting(joint=True), 0), (Counting(), 1)],
    ids=["an argument", "another argument", "the text"],
)
def test_whatever_changes_the_result_is_another_entry(pairs: Pairs, builder: Counting, change: int) -> None:
    Counting().build(pairs)
    builder.build(pairs[change:])
    assert Counting.trainings == 2


def test_one_letter_of_the_text_counts(pairs: Pairs) -> None:
    Counting().build(pairs)
    Counting().build([(pairs[0][0].swapcase(), pairs[0][1]), *pairs[1:]])
    assert Counting.trainings == 2


def test_side_of_a_text_counts(pairs: Pairs) -> None:
    Counting().build(pairs)
    Counting().build([(target, source) for source, target in pairs])
    assert Counting.trainings == 2


def test_another_sentencepiece_builds_anew(pairs: Pairs, monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    SentencePiece(vocab_size=70).build(pairs)
    monkeypatch.setattr("sentencepiece.__version__", "0.0.1")
    SentencePiece(vocab_size=70).build(pairs)
    assert len(cached(own_cache)) == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_file_is_built_again(
    pairs: Pairs, damage: str, own_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = Counting().build(pairs)
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
        again = Counting().build(pairs)
    assert Counting.trainings == 2
    assert str(path) in caplog.text
    assert again.target.tokens == wanted.target.tokens
    assert path.read_bytes() == whole


def _saved(value: object) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return hashlib.sha256(file.getvalue()).digest() + file.getvalue()


def test_a_folder_that_cannot_be_written_costs_the_cache_only(
    pairs: Pairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("S2S_CACHE", str(tmp_path / "file"))
    assert len(Counting().build(pairs).source) > 4
    assert "S2S_CACHE" in caplog.text


def test_a_write_that_fails_leaves_nothing_behind(
    pairs: Pairs, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    Counting().build(pairs)
    assert cached(own_cache) == []


def test_folders_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2S_CACHE", "/own")
    monkeypatch.setenv("XDG_CACHE_HOME", "/shared")
    assert cache.folder() == Path("/own")
    monkeypatch.delenv("S2S_CACHE")
    assert cache.folder() == Path("/shared/s2s_lit")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.folder() == Path.home() / ".cache" / "s2s_lit"


@pytest.mark.parametrize("pairs", [[], [("", ""), ("a", "")]])
def test_no_text_is_the_users_to_mend(pairs: Pairs) -> None:
    with pytest.raises(UserError, match=r"data\.source_column"):
        Words().build(pairs)


@pytest.mark.parametrize("name", ["os.system", "s2s_lit.text.tokenizer.TokenizerPair"])
def test_a_state_may_name_tokenizers_only(name: str) -> None:
    with pytest.raises(ValueError, match="not a tokenizer"):
        TokenizerPair.from_state({"source": {"class": name, "state": {}}})
