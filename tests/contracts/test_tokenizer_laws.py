"""Laws of every tokenizer; the builders are found in the package, so that a new one cannot miss them."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from s2s_lit.text.sentencepiece import SentencePiece
from s2s_lit.text.tokenizer import Tokenizer, TokenizerBuilder, tokenizer_from_state, tokenizer_state
from s2s_lit.text.vocabulary import SPECIALS
from s2s_lit.types import BOS, EOS, PAD, UNK
from support.parts import concrete_subclasses
from support.saving import saved

BUILDERS = concrete_subclasses(TokenizerBuilder, "s2s_lit.text")  # type: ignore[type-abstract]
TEXTS = [
    text
    for a, g in [("dog", "Hund"), ("horse", "Gaul"), ("bird", "Vogel"), ("ox", "Ochs")]
    for d, e in [("runs", "läuft"), ("sleeps", "schläft"), ("sings", "singt"), ("plays", "spielt")]
    for text in (f"The {a} {d} , one {a} and two .", f"Der {g} {e} , ein {g} und zwei .")
]


@pytest.fixture(params=BUILDERS, ids=lambda kind: kind.__name__)
def builder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TokenizerBuilder:
    monkeypatch.setenv("S2S_CACHE", str(tmp_path / "cache"))
    kind = request.param
    if "path" not in inspect.signature(kind).parameters:
        return kind()
    path = tmp_path / "trained.model"
    model: Any = SentencePiece(vocab_size=60).train(TEXTS)
    path.write_bytes(model.state()["model"].numpy().tobytes())
    return kind(path=path)


def through_a_checkpoint(tokenizer: Tokenizer) -> Tokenizer:
    return tokenizer_from_state(saved(tokenizer_state(tokenizer)))


@pytest.mark.parametrize("kind", BUILDERS, ids=lambda kind: kind.__name__)
def test_options_are_keywords_and_documented(kind: type[TokenizerBuilder]) -> None:
    described = (inspect.getdoc(kind) or "").partition("Args:")[2]
    for name, parameter in inspect.signature(kind).parameters.items():
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert f"{name}:" in described


def test_decoding_gives_every_text_back(builder: TokenizerBuilder) -> None:
    tokenizer = builder.train(TEXTS)
    for text in TEXTS:
        ids = tokenizer.encode(text)
        assert not {PAD, UNK, BOS, EOS} & set(ids)
        assert tokenizer.decode(ids) == tokenizer.decode([BOS, *ids, EOS, PAD]) == text


def test_tokens_are_those_of_the_ids(builder: TokenizerBuilder) -> None:
    tokenizer = builder.train(TEXTS)
    assert len(tokenizer) == len(tokenizer.tokens) == len(set(tokenizer.tokens))
    for text in TEXTS:
        assert [tokenizer.tokens[i] for i in tokenizer.encode(text)] == tokenizer.tokenize(text)


def test_a_batch_is_its_texts(builder: TokenizerBuilder) -> None:
    tokenizer = builder.train(TEXTS)
    assert tokenizer.encode_batch([*TEXTS, ""]) == [*map(tokenizer.encode, TEXTS), []]
    assert tokenizer.encode_batch([]) == []


def test_what_is_unknown_can_be_seen(builder: TokenizerBuilder) -> None:
    tokenizer = builder.train(TEXTS)
    ids = tokenizer.encode("The 犬 runs .")
    assert ids.count(UNK) == 1
    assert tokenizer.decode(ids) == "The ⁇ runs ."
    assert len(tokenizer.tokenize("The 犬 runs .")) == len(ids)
    assert "犬" in tokenizer.tokenize("The 犬 runs .")


def test_no_text_says_where_a_sentence_begins_or_ends(builder: TokenizerBuilder) -> None:
    tokenizer = builder.train([*TEXTS, " ".join(SPECIALS)])
    for special in SPECIALS:
        assert not {PAD, BOS, EOS} & set(tokenizer.encode(f"The dog {special} runs ."))
        assert list(tokenizer.tokens).count(special) == 1


def test_without_a_sampling_there_is_one_segmentation(builder: TokenizerBuilder) -> None:
    tokenizer = builder.train(TEXTS)
    assert not tokenizer.samples
    assert [tokenizer.sample(TEXTS[0], seed) for seed in range(3)] == [tokenizer.encode(TEXTS[0])] * 3


def test_the_same_text_gives_the_same_tokenizer(builder: TokenizerBuilder) -> None:
    one, other = builder.train(TEXTS), builder.train(TEXTS, "another name")
    assert list(one.tokens) == list(other.tokens)
    assert one.encode_batch(TEXTS) == other.encode_batch(TEXTS)


def test_a_checkpoint_and_the_cache_keep_it(builder: TokenizerBuilder) -> None:
    tokenizer = builder.train(TEXTS)
    for again in (through_a_checkpoint(tokenizer), builder.build(TEXTS), builder.build(TEXTS)):
        assert type(again) is type(tokenizer)
        assert list(again.tokens) == list(tokenizer.tokens)
        assert again.encode_batch(TEXTS) == tokenizer.encode_batch(TEXTS)
        assert again.decode(again.encode(TEXTS[0])) == TEXTS[0]
