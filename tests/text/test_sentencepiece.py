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
    codecs = SentencePiece(vocab_size=70, model_type=model_type).train(pairs)
    assert codecs.joint
    assert len(codecs.source) == 70
    for text in [text for pair in pairs for text in pair]:
        ids = codecs.source.encode(text)
        assert codecs.source.decode([BOS, *ids, EOS, PAD]) == text
        assert [codecs.source.pieces[i] for i in ids] == codecs.source.encode_as_pieces(text)
    assert codecs.source.encode_batch([a for a, _ in pairs]) == [codecs.source.encode(a) for a, _ in pairs]


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_no_sign_is_replaced_by_another(model_type: ModelType) -> None:
    """Unicode normalization is the pair's: what stands in a reference can be said."""
    text = "好，吗？…½ ﬁn"
    codec = SentencePiece(vocab_size=24, model_type=model_type).train([(text, "a b")] * 20).source
    assert codec.decode(codec.encode(text)) == text


def test_specials_come_first_and_encoding_adds_none(pairs: Pairs) -> None:
    codec = SentencePiece(vocab_size=70).train(pairs).source
    assert codec.pieces[:4] == SPECIALS
    assert not {PAD, UNK, BOS, EOS} & set(codec.encode("one dog sleeps"))


def test_an_unknown_letter_shows_in_both_directions(pairs: Pairs) -> None:
    codec = SentencePiece(vocab_size=70).train(pairs).source
    ids = codec.encode("one 犬 sleeps")
    assert UNK in ids
    assert codec.decode(ids) == "one ⁇ sleeps"
    assert "犬" in codec.encode_as_pieces("one 犬 sleeps")


def test_separate_vocabularies_know_their_own_language_only(pairs: Pairs) -> None:
    codecs = SentencePiece(vocab_size=60, joint=False).train(pairs)
    assert not codecs.joint
    assert UNK in codecs.source.encode("ä")
    assert UNK not in codecs.target.encode("ä")


def test_training_is_deterministic(pairs: Pairs) -> None:
    first, second = (SentencePiece(vocab_size=70).train(pairs).source.state()["model"] for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_too_large_a_vocabulary_is_capped_with_its_new_size(
    pairs: Pairs, model_type: ModelType, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        codec = SentencePiece(vocab_size=50_000, model_type=model_type).train(pairs).source
    assert 50 < len(codec) < 5_000
    assert f"the vocabulary has {len(codec)}" in caplog.text
    assert "data.codec.vocab_size: 50000" in caplog.text


def test_too_small_a_vocabulary_is_the_users_to_mend(pairs: Pairs) -> None:
    with pytest.raises(UserError, match=r"data\.codec\.vocab_size"):
        SentencePiece(vocab_size=8).train(pairs)
