from __future__ import annotations

import logging
from typing import Literal

import pytest
import torch

from s2s_lit.errors import UserError
from s2s_lit.text.sentencepiece import SentencePiece
from s2s_lit.text.vocabulary import SPECIALS
from s2s_lit.types import BOS, EOS, PAD, UNK

ModelType = Literal["unigram", "bpe"]


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_decoding_gives_every_sentence_back(texts: list[str], model_type: ModelType) -> None:
    tokenizer = SentencePiece(vocab_size=70, model_type=model_type).train(texts)
    assert len(tokenizer) == 70
    for text in texts:
        ids = tokenizer.encode(text)
        assert tokenizer.decode([BOS, *ids, EOS, PAD]) == text
        assert [tokenizer.tokens[i] for i in ids] == tokenizer.tokenize(text)
    assert tokenizer.encode_batch(texts) == [tokenizer.encode(text) for text in texts]


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_no_sign_is_replaced_by_another(model_type: ModelType) -> None:
    """Unicode normalization is the field's: what stands in a reference can be said."""
    text = "好，吗？…½ ﬁn"
    tokenizer = SentencePiece(vocab_size=24, model_type=model_type).train([text, "a b"] * 20)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_specials_come_first_and_encoding_adds_none(texts: list[str]) -> None:
    tokenizer = SentencePiece(vocab_size=70).train(texts)
    assert tokenizer.tokens[:4] == SPECIALS
    assert not {PAD, UNK, BOS, EOS} & set(tokenizer.encode("one dog sleeps"))


def test_an_unknown_letter_shows_in_both_directions(texts: list[str]) -> None:
    tokenizer = SentencePiece(vocab_size=70).train(texts)
    ids = tokenizer.encode("one 犬 sleeps")
    assert UNK in ids
    assert tokenizer.decode(ids) == "one ⁇ sleeps"
    assert "犬" in tokenizer.tokenize("one 犬 sleeps")


def test_a_vocabulary_knows_the_text_that_it_was_trained_on_only(english: list[str], german: list[str]) -> None:
    source, target = (SentencePiece(vocab_size=60).train(texts) for texts in (english, german))
    assert UNK in source.encode("ä")
    assert UNK not in target.encode("ä")


def test_training_is_deterministic(texts: list[str]) -> None:
    first, second = (SentencePiece(vocab_size=70).train(texts).state()["model"] for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_too_large_a_vocabulary_is_capped_with_its_new_size(
    texts: list[str], model_type: ModelType, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        tokenizer = SentencePiece(vocab_size=50_000, model_type=model_type).train(texts, "German")
    assert 50 < len(tokenizer) < 5_000
    assert f"the vocabulary has {len(tokenizer)}" in caplog.text
    assert "vocab_size: 50000 tokens are more than the German text has" in caplog.text


def test_too_small_a_vocabulary_is_the_users_to_mend(texts: list[str]) -> None:
    with pytest.raises(UserError, match=r"the German vocabulary of 8 tokens .*vocab_size"):
        SentencePiece(vocab_size=8).train(texts, "German")


def test_long_lines_are_seen(caplog: pytest.LogCaptureFixture) -> None:
    """sentencepiece leaves out lines of more than 4,192 bytes, unless it is told otherwise."""
    short = ["ein Hund lief schnell"] * 20
    tokenizer = SentencePiece(vocab_size=40).train([*short, *["漢字" * 700 + " zeichen"] * 3])
    assert UNK not in tokenizer.encode("漢字")
    assert len(SentencePiece(vocab_size=30).train([" ".join(["Absatz"] * 900)] * 5)) <= 30
