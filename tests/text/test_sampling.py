from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import numpy as np
import pytest
import sentencepiece

from s2s_lit.errors import UserError
from s2s_lit.text.sampling import BpeDropout, Sampling, SubwordRegularization
from s2s_lit.text.sentencepiece import SentencePiece
from s2s_lit.text.tokenizer import Tokenizer, tokenizer_from_state, tokenizer_state
from s2s_lit.text.words import Words
from support.parts import concrete_subclasses
from support.saving import saved

SAMPLINGS = [SubwordRegularization(), SubwordRegularization(nbest_size=16), BpeDropout()]
TEXT = "Today, 3 birds: one bird sings on the street."


def tokenizer(texts: list[str], sampling: Sampling | None, **settings: Any) -> Tokenizer:
    kind: Any = "unigram" if sampling is None else sampling.model_type
    return SentencePiece(**{"vocab_size": 110, "model_type": kind, "sampling": sampling, **settings}).train(texts)


def test_every_kind_is_tested() -> None:
    assert {type(sampling) for sampling in SAMPLINGS} == set(concrete_subclasses(Sampling, "s2s_lit.text"))


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
def test_what_is_drawn_depends_on_text_and_seed_alone(texts: list[str], sampling: Sampling) -> None:
    sampler = tokenizer(texts, sampling)
    seeds = range(50)
    drawn = [sampler.sample(TEXT, seed) for seed in seeds]
    assert len({tuple(ids) for ids in drawn}) > 10
    assert [sampler.sample(TEXT, seed) for seed in reversed(seeds)] == drawn[::-1]
    sentencepiece.set_random_generator_seed(7)
    for seed in seeds:
        sampler.sample(texts[seed], 3)  # other texts in between
        assert sampler.sample(TEXT, seed) == drawn[seed]
    elsewhere: list[list[int]] = []
    thread = threading.Thread(target=lambda: elsewhere.extend(sampler.sample(TEXT, seed) for seed in seeds))
    thread.start()
    thread.join()
    assert elsewhere == drawn


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
def test_every_segmentation_reads_as_the_text_and_encoding_stays_as_it_is(texts: list[str], sampling: Sampling) -> None:
    sampler, plain = tokenizer(texts, sampling), tokenizer(texts, None, model_type=sampling.model_type)
    assert sampler.samples
    assert not plain.samples
    for seed, text in enumerate(texts[:80]):
        assert sampler.decode(sampler.sample(text, seed)) == text
        assert sampler.encode(text) == plain.encode(text) == plain.sample(text, seed)
    assert sampler.tokens == plain.tokens


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
def test_a_checkpoint_goes_on_drawing_the_same(texts: list[str], sampling: Sampling) -> None:
    sampler = tokenizer(texts, sampling)
    again = tokenizer_from_state(saved(tokenizer_state(sampler)))
    assert again.samples
    assert [again.sample(TEXT, seed) for seed in range(20)] == [sampler.sample(TEXT, seed) for seed in range(20)]


@pytest.mark.parametrize("nbest_size", [-1, 512])
@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_unigram_samples_follow_the_papers_distribution(texts: list[str], alpha: float, nbest_size: int) -> None:
    """Against P(x)^alpha / sum P(x')^alpha over all segmentations, enumerated here from the tokens' scores."""
    sampler = tokenizer(texts, SubwordRegularization(alpha=alpha, nbest_size=nbest_size))
    processor = sentencepiece.SentencePieceProcessor(model_proto=sampler.state()["model"].numpy().tobytes())
    scores = {token: processor.get_score(i) for i, token in enumerate(sampler.tokens) if i > 3}
    text = "\u2581street"

    def segmentations(rest: str) -> list[list[str]]:
        if not rest:
            return [[]]
        ends = [end for end in range(1, len(rest) + 1) if rest[:end] in scores]
        return [[rest[:end], *tail] for end in ends for tail in segmentations(rest[end:])]

    every = segmentations(text)
    assert len(every) > 2
    weights = np.exp([alpha * sum(scores[token] for token in tokens) for tokens in every])
    expected = weights / weights.sum()
    draws = 4000
    found = Counter(tuple(sampler.sample("street", seed)) for seed in range(draws))
    ids = [tuple(sampler.tokens.index(token) for token in tokens) for tokens in every]
    assert set(found) <= set(ids)
    observed = np.array([found[i] for i in ids]) / draws
    assert np.abs(observed - expected).max() < 4 * np.sqrt(0.25 / draws)


@pytest.mark.parametrize(("dropout", "as_encoded"), [(0.0, True), (1.0, False)])
def test_bpe_dropout_of_zero_is_bpe_and_of_one_is_characters(
    texts: list[str], dropout: float, as_encoded: bool
) -> None:
    sampler = tokenizer(texts, BpeDropout(dropout=dropout))
    tokens = [sampler.tokens[i] for i in sampler.sample(TEXT, 1)]
    wanted = sampler.tokenize(TEXT) if as_encoded else list("\u2581" + TEXT.replace(" ", "\u2581"))
    assert tokens == wanted


def test_more_dropout_gives_more_tokens(texts: list[str]) -> None:
    samplers = [tokenizer(texts, BpeDropout(dropout=p)) for p in (0.0, 0.2, 0.5, 1.0)]
    counts = [sum(len(sampler.sample(text, 1)) for text in texts[:50]) for sampler in samplers]
    assert counts == sorted(set(counts))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: SubwordRegularization(nbest_size=0), "nbest_size"),
        (lambda: SubwordRegularization(nbest_size=513), "nbest_size"),
        (lambda: SubwordRegularization(alpha=-0.1), "alpha"),
        (lambda: BpeDropout(dropout=1.1), "dropout"),
        (lambda: SentencePiece(sampling=BpeDropout()), "model_type=bpe"),
        (
            lambda: SentencePiece(model_type="bpe", sampling=SubwordRegularization()),
            "model_type=unigram",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(make: Any, says: str) -> None:
    with pytest.raises(UserError, match=says):
        make()


def test_tokenizers_with_one_segmentation_have_nothing_to_draw() -> None:
    words = Words().build(["a b"])
    assert not words.samples
    assert words.sample("b a", 9) == words.encode("b a")
