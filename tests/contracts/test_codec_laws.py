"""Laws of every codec; the builders are found in the package, so that a new one cannot miss them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from s2s_lit.text.codec import CodecBuilder, CodecPair
from s2s_lit.text.sentencepiece import SentencePiece
from s2s_lit.types import BOS, EOS, PAD, UNK
from support.parts import concrete_subclasses
from support.saving import saved

BUILDERS = concrete_subclasses(CodecBuilder, "s2s_lit.text")
PAIRS = [
    (f"The {a} {d}, one {a} and two.", f"Der {g} {e}, ein {g} und zwei.")
    for a, g in [("dog", "Hund"), ("horse", "Gaul"), ("bird", "Vogel"), ("ox", "Ochs")]
    for d, e in [("runs", "läuft"), ("sleeps", "schläft"), ("sings", "singt"), ("plays", "spielt")]
]
SOURCES, TARGETS = ([*texts] for texts in zip(*PAIRS, strict=True))


def cases() -> Iterator[tuple[type[CodecBuilder], dict[str, bool]]]:
    """Each builder, with one vocabulary for both languages and with two where that can be chosen."""
    for kind in BUILDERS:
        chosen = "joint" in inspect.signature(kind).parameters
        yield from ((kind, settings) for settings in ([{"joint": False}, {"joint": True}] if chosen else [{}]))


@pytest.fixture(params=cases(), ids=lambda case: f"{case[0].__name__}-{case[1]}")
def builder(request: pytest.FixtureRequest, tmp_path: Path) -> CodecBuilder:
    kind, settings = request.param
    if "path" not in inspect.signature(kind).parameters:
        return kind(**settings)
    path = tmp_path / "trained.model"
    path.write_bytes(SentencePiece(vocab_size=60).train(PAIRS).source.state()["model"].numpy().tobytes())
    return kind(path=path, **settings)


def through_a_checkpoint(codecs: CodecPair) -> CodecPair:
    return CodecPair.from_state(saved(codecs.state()))


@pytest.mark.parametrize("kind", BUILDERS, ids=lambda kind: kind.__name__)
def test_options_are_keywords_and_documented(kind: type[CodecBuilder]) -> None:
    described = inspect.getdoc(kind).partition("Args:")[2]
    for name, parameter in inspect.signature(kind).parameters.items():
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert f"{name}:" in described


def test_decoding_gives_every_text_back(builder: CodecBuilder) -> None:
    codecs = builder.train(PAIRS)
    for codec, texts in ((codecs.source, SOURCES), (codecs.target, TARGETS)):
        for text in texts:
            ids = codec.encode(text)
            assert not {PAD, UNK, BOS, EOS} & set(ids)
            assert codec.decode(ids) == codec.decode([BOS, *ids, EOS, PAD]) == text


def test_pieces_are_those_of_the_ids(builder: CodecBuilder) -> None:
    codec = builder.train(PAIRS).source
    assert len(codec) == len(codec.pieces) == len(set(codec.pieces))
    for text in SOURCES:
        assert [codec.pieces[i] for i in codec.encode(text)] == codec.encode_as_pieces(text)


def test_a_batch_is_its_texts(builder: CodecBuilder) -> None:
    codec = builder.train(PAIRS).source
    assert codec.encode_batch([*SOURCES, ""]) == [*map(codec.encode, SOURCES), []]
    assert codec.encode_batch([]) == []


def test_what_is_unknown_can_be_seen(builder: CodecBuilder) -> None:
    codec = builder.train(PAIRS).source
    ids = codec.encode("The 犬 runs.")
    assert ids.count(UNK) == 1
    assert codec.decode(ids) == "The ⁇ runs."
    assert len(codec.encode_as_pieces("The 犬 runs.")) == len(ids)
    assert "犬" in codec.encode_as_pieces("The 犬 runs.")


def test_without_a_sampling_there_is_one_segmentation(builder: CodecBuilder) -> None:
    codec = builder.train(PAIRS).source
    assert not codec.samples
    assert [codec.sample(SOURCES[0], seed) for seed in range(3)] == [codec.encode(SOURCES[0])] * 3


def test_the_same_text_gives_the_same_codecs(builder: CodecBuilder) -> None:
    one, other = builder.train(PAIRS), builder.train(PAIRS)
    for mine, theirs in ((one.source, other.source), (one.target, other.target)):
        assert list(mine.pieces) == list(theirs.pieces)
        assert mine.encode_batch(SOURCES) == theirs.encode_batch(SOURCES)


def test_a_checkpoint_keeps_them(builder: CodecBuilder) -> None:
    codecs = builder.train(PAIRS)
    again = through_a_checkpoint(codecs)
    assert again.joint == codecs.joint == getattr(builder, "joint", True)
    for mine, theirs, texts in ((codecs.source, again.source, SOURCES), (codecs.target, again.target, TARGETS)):
        assert type(mine) is type(theirs)
        assert list(mine.pieces) == list(theirs.pieces)
        assert mine.encode_batch(texts) == theirs.encode_batch(texts)
        assert theirs.decode(theirs.encode(texts[0])) == texts[0]


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_a_checkpoint_keeps_the_form_of_the_text(builder: CodecBuilder, form: Any) -> None:
    codecs = builder.train(PAIRS)
    again = through_a_checkpoint(CodecPair(codecs.source, codecs.target, form=form))
    assert again.form == form
    assert again.normalize("ﬁ") == ("ﬁ" if form == "NFC" else "fi")
