"""Laws of every tokenizer; the builders are found in the package, so that a new one cannot miss them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from s2s_lit.text.sentencepiece import SentencePiece
from s2s_lit.text.tokenizer import TokenizerBuilder, TokenizerPair
from s2s_lit.types import BOS, EOS, PAD, UNK
from support.parts import concrete_subclasses
from support.saving import saved

BUILDERS = concrete_subclasses(TokenizerBuilder, "s2s_lit.text")
PAIRS = [
    (f"The {a} {d}, one {a} and two.", f"Der {g} {e}, ein {g} und zwei.")
    for a, g in [("dog", "Hund"), ("horse", "Gaul"), ("bird", "Vogel"), ("ox", "Ochs")]
    for d, e in [("runs", "läuft"), ("sleeps", "schläft"), ("sings", "singt"), ("plays", "spielt")]
]
SOURCES, TARGETS = ([*texts] for texts in zip(*PAIRS, strict=True))


def cases() -> Iterator[tuple[type[TokenizerBuilder], dict[str, bool]]]:
    """Each builder, with one vocabulary for both languages and with two where that can be chosen."""
    for kind in BUILDERS:
        chosen = "joint" in inspect.signature(kind).parameters
        yield from ((kind, settings) for settings in ([{"joint": False}, {"joint": True}] if chosen else [{}]))


@pytest.fixture(params=cases(), ids=lambda case: f"{case[0].__name__}-{case[1]}")
def builder(request: pytest.FixtureRequest, tmp_path: Path) -> TokenizerBuilder:
    kind, settings = request.param
    if "path" not in inspect.signature(kind).parameters:
        return kind(**settings)
    path = tmp_path / "trained.model"
    path.write_bytes(SentencePiece(vocab_size=60).train(PAIRS).source.state()["model"].numpy().tobytes())
    return kind(path=path, **settings)


def through_a_checkpoint(tokenizers: TokenizerPair) -> TokenizerPair:
    return TokenizerPair.from_state(saved(tokenizers.state()))


@pytest.mark.parametrize("kind", BUILDERS, ids=lambda kind: kind.__name__)
def test_options_are_keywords_and_documented(kind: type[TokenizerBuilder]) -> None:
    described = inspect.getdoc(kind).partition("Args:")[2]
    for name, parameter in inspect.signature(kind).parameters.items():
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert f"{name}:" in described


def test_decoding_gives_every_text_back(builder: TokenizerBuilder) -> None:
    tokenizers = builder.train(PAIRS)
    for tokenizer, texts in ((tokenizers.source, SOURCES), (tokenizers.target, TARGETS)):
        for text in texts:
            ids = tokenizer.encode(text)
            assert not {PAD, UNK, BOS, EOS} & set(ids)
            assert tokenizer.decode(ids) == tokenizer.decode([BOS, *ids, EOS, PAD]) == text


def test_tokens_are_those_of_the_ids(builder: TokenizerBuilder) -> None:
    tokenizer = builder.train(PAIRS).source
    assert len(tokenizer) == len(tokenizer.tokens) == len(set(tokenizer.tokens))
    for text in SOURCES:
        assert [tokenizer.tokens[i] for i in tokenizer.encode(text)] == tokenizer.tokenize(text)


def test_a_batch_is_its_texts(builder: TokenizerBuilder) -> None:
    tokenizer = builder.train(PAIRS).source
    assert tokenizer.encode_batch([*SOURCES, ""]) == [*map(tokenizer.encode, SOURCES), []]
    assert tokenizer.encode_batch([]) == []


def test_what_is_unknown_can_be_seen(builder: TokenizerBuilder) -> None:
    tokenizer = builder.train(PAIRS).source
    ids = tokenizer.encode("The 犬 runs.")
    assert ids.count(UNK) == 1
    assert tokenizer.decode(ids) == "The ⁇ runs."
    assert len(tokenizer.tokenize("The 犬 runs.")) == len(ids)
    assert "犬" in tokenizer.tokenize("The 犬 runs.")


def test_without_a_sampling_there_is_one_segmentation(builder: TokenizerBuilder) -> None:
    tokenizer = builder.train(PAIRS).source
    assert not tokenizer.samples
    assert [tokenizer.sample(SOURCES[0], seed) for seed in range(3)] == [tokenizer.encode(SOURCES[0])] * 3


def test_the_same_text_gives_the_same_tokenizers(builder: TokenizerBuilder) -> None:
    one, other = builder.train(PAIRS), builder.train(PAIRS)
    for mine, theirs in ((one.source, other.source), (one.target, other.target)):
        assert list(mine.tokens) == list(theirs.tokens)
        assert mine.encode_batch(SOURCES) == theirs.encode_batch(SOURCES)


def test_a_checkpoint_keeps_them(builder: TokenizerBuilder) -> None:
    tokenizers = builder.train(PAIRS)
    again = through_a_checkpoint(tokenizers)
    assert again.joint == tokenizers.joint == getattr(builder, "joint", True)
    for mine, theirs, texts in ((tokenizers.source, again.source, SOURCES), (tokenizers.target, again.target, TARGETS)):
        assert type(mine) is type(theirs)
        assert list(mine.tokens) == list(theirs.tokens)
        assert mine.encode_batch(texts) == theirs.encode_batch(texts)
        assert theirs.decode(theirs.encode(texts[0])) == texts[0]


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_a_checkpoint_keeps_the_form_of_the_text(builder: TokenizerBuilder, form: Any) -> None:
    tokenizers = builder.train(PAIRS)
    again = through_a_checkpoint(TokenizerPair(tokenizers.source, tokenizers.target, form=form))
    assert again.form == form
    assert again.normalize("ﬁ") == ("ﬁ" if form == "NFC" else "fi")
