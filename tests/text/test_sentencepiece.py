from __future__ import annotations

import logging
from typing import Literal

import pytest
import torch

from s2s_lit.errors import UserError
from s2s_lit.text.sentencepiece import SentencePiece
from s2s_lit.text.vocabulary import SPECIALS
from s2s_lit.types import BOS, EOS, PAD, UNK

Pairs = list[tuple[str, str]]
ModelType = Literal["unigram", "bpe"]


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_decoding_gives_every_sentence_back(pairs: Pairs, model_type: ModelType) -> None:
    tokenizers = SentencePiece(vocab_size=70, model_type=model_type).train(pairs)
    assert tokenizers.joint
    assert len(tokenizers.source) == 70
    for text in [text for pair in pairs for text in pair]:
        ids = tokenizers.source.encode(text)
        assert tokenizers.source.decode([BOS, *ids, EOS, PAD]) == text
        assert [tokenizers.source.tokens[i] for i in ids] == tokenizers.source.tokenize(text)
    assert tokenizers.source.encode_batch([a for a, _ in pairs]) == [tokenizers.source.encode(a) for a, _ in pairs]


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_no_sign_is_replaced_by_another(model_type: ModelType) -> None:
    """Unicode normalization is the pair's: what stands in a reference can be said."""
    text = "好，吗？…½ ﬁn"
    tokenizer = SentencePiece(vocab_size=24, model_type=model_type).train([(text, "a b")] * 20).source
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_specials_come_first_and_encoding_adds_none(pairs: Pairs) -> None:
    tokenizer = SentencePiece(vocab_size=70).train(pairs).source
    assert tokenizer.tokens[:4] == SPECIALS
    assert not {PAD, UNK, BOS, EOS} & set(tokenizer.encode("one dog sleeps"))


def test_an_unknown_letter_shows_in_both_directions(pairs: Pairs) -> None:
    tokenizer = SentencePiece(vocab_size=70).train(pairs).source
    ids = tokenizer.encode("one 犬 sleeps")
    assert UNK in ids
    assert tokenizer.decode(ids) == "one ⁇ sleeps"
    assert "犬" in tokenizer.tokenize("one 犬 sleeps")


def test_separate_vocabularies_know_their_own_language_only(pairs: Pairs) -> None:
    tokenizers = SentencePiece(vocab_size=60, joint=False).train(pairs)
    assert not tokenizers.joint
    assert UNK in tokenizers.source.encode("ä")
    assert UNK not in tokenizers.target.encode("ä")


def test_training_is_deterministic(pairs: Pairs) -> None:
    first, second = (SentencePiece(vocab_size=70).train(pairs).source.state()["model"] for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_too_large_a_vocabulary_is_capped_with_its_new_size(
    pairs: Pairs, model_type: ModelType, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        tokenizer = SentencePiece(vocab_size=50_000, model_type=model_type).train(pairs).source
    assert 50 < len(tokenizer) < 5_000
    assert f"the vocabulary has {len(tokenizer)}" in caplog.text
    assert "data.tokenizer.vocab_size: 50000" in caplog.text


def test_too_small_a_vocabulary_is_the_users_to_mend(pairs: Pairs) -> None:
    with pytest.raises(UserError, match=r"data\.tokenizer\.vocab_size"):
        SentencePiece(vocab_size=8).train(pairs)
