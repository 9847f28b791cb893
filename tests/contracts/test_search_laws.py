"""Laws of every search; the searches are found in the package, so that a new one cannot miss them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from itertools import pairwise

import pytest
import torch

import s2s_lit.decoding
from s2s_lit.decoding.scorers import forced_log_probs
from s2s_lit.decoding.search import Search
from s2s_lit.types import EOS, Hypothesis
from tables import BOS, NOTHING, code, random_tables, sources

for module in pkgutil.walk_packages(s2s_lit.decoding.__path__, "s2s_lit.decoding."):
    importlib.import_module(module.name)


def concrete(kind: type) -> list[type]:
    below = [found for child in kind.__subclasses__() for found in concrete(child)]
    return below if inspect.isabstract(kind) else [kind, *below]


SEARCHES = [found for found in concrete(Search) if found.__module__.startswith("s2s_lit.")]
LENGTHS = [1, 5, 2, 7, 3, 4, 6, 2]


@pytest.fixture(params=SEARCHES, ids=lambda found: found.__name__)
def kind(request: pytest.FixtureRequest) -> type[Search]:
    return request.param


@pytest.fixture(params=[0.0, 3.0])
def search(kind: type[Search], request: pytest.FixtureRequest) -> Search:
    """The search with all it can return, under caps that none and most of the hypotheses reach."""
    options = {"max_length_ratio": request.param, "max_length_offset": 4}
    if "n_best" in inspect.signature(kind).parameters:
        options["n_best"] = 4
    return kind(**options)


def pieces(hypothesis: Hypothesis) -> list[int]:
    return hypothesis.token_ids + [EOS] * hypothesis.finished


def test_there_are_searches() -> None:
    assert len(SEARCHES) >= 2


def test_options_are_keywords_with_defaults_and_documented(kind: type[Search]) -> None:
    documented = inspect.getdoc(kind).partition("Args:")[2]
    for name, parameter in inspect.signature(kind).parameters.items():
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.default is not parameter.empty
        assert f"{name}:" in documented


@pytest.mark.parametrize("seed", range(5))
def test_a_batch_equals_its_sentences_one_by_one(search: Search, seed: int) -> None:
    model = random_tables(len(LENGTHS), seed)
    ids, lengths = sources(LENGTHS)
    together = search(model, ids, lengths, keep_weights=True)
    assert len(together) == len(LENGTHS)
    for row, found in enumerate(together):
        (alone,) = search(model, ids[row : row + 1, : LENGTHS[row]], lengths[row : row + 1], keep_weights=True)
        assert [h.token_ids for h in found] == [h.token_ids for h in alone]
        assert [h.finished for h in found] == [h.finished for h in alone]
        assert [h.score for h in found] == pytest.approx([h.score for h in alone], abs=1e-6)
        for one, other in zip(found, alone, strict=True):
            assert torch.equal(one.weights, other.weights)


@pytest.mark.parametrize("seed", range(5))
def test_hypotheses_are_distinct_and_ranked(search: Search, seed: int) -> None:
    for found in search(random_tables(len(LENGTHS), seed), *sources(LENGTHS)):
        assert found
        assert len({tuple(pieces(h)) for h in found}) == len(found)
        ranks = [(h.finished, h.score) for h in found]
        assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize("seed", range(5))
def test_the_scorer_agrees_with_the_search(search: Search, seed: int) -> None:
    model = random_tables(len(LENGTHS), seed)
    ids, lengths = sources(LENGTHS)
    for row, found in enumerate(search(model, ids, lengths)):
        targets = [torch.tensor(pieces(h)) for h in found]
        padded = torch.nn.utils.rnn.pad_sequence(targets, batch_first=True)
        sizes = torch.tensor([len(target) for target in targets])
        scored = forced_log_probs(model, ids[row : row + 1], lengths[row : row + 1], padded, sizes).sum(1)
        assert scored.tolist() == pytest.approx([h.log_prob for h in found], abs=1e-5)
        assert scored.tolist() == pytest.approx([model.log_prob(row, pieces(h)) for h in found], abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_no_output_is_longer_than_its_cap(search: Search, seed: int) -> None:
    ids, lengths = sources(LENGTHS)
    caps = [int(search.max_length_ratio * length + search.max_length_offset) for length in LENGTHS]
    assert search.length_caps(lengths).tolist() == caps
    for cap, found in zip(caps, search(random_tables(len(LENGTHS), seed, spread=3.0), ids, lengths), strict=True):
        for hypothesis in found:
            assert len(pieces(hypothesis)) <= cap
            assert hypothesis.finished or len(hypothesis.token_ids) == cap


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_those_of_the_hypothesis(search: Search, seed: int) -> None:
    model = random_tables(len(LENGTHS), seed)
    for row, found in enumerate(search(model, *sources(LENGTHS), keep_weights=True)):
        for hypothesis in found:
            path = [NOTHING, BOS, *pieces(hypothesis)]
            seen = torch.tensor([code(row, before, last) for before, last in pairwise(path[:-1])])
            expected = seen.unsqueeze(1) + torch.arange(LENGTHS[row]) / 10
            torch.testing.assert_close(hypothesis.weights, expected)


def test_weights_are_kept_only_when_asked_for(search: Search) -> None:
    found = search(random_tables(len(LENGTHS), 0), *sources(LENGTHS))
    assert all(h.weights is None for hypotheses in found for h in hypotheses)


def test_sentences_leave_the_batch(search: Search) -> None:
    model = random_tables(len(LENGTHS), 0)
    search(model, *sources(LENGTHS))
    assert model.steps[-1] < max(model.steps)
    assert len(model.steps) <= search.length_caps(torch.tensor(LENGTHS)).max()


def test_a_search_repeats_itself(search: Search) -> None:
    once, again = (search(random_tables(len(LENGTHS), 0), *sources(LENGTHS)) for _ in range(2))
    assert once == again
