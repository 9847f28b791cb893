"""The Kneser-Ney trigram against counts by brute force."""

from __future__ import annotations

import importlib.util
import itertools
import math
import random
from pathlib import Path

import pytest

from s2s_lit.types import BOS, EOS

_spec = importlib.util.spec_from_file_location("trigram", Path(__file__).parents[2] / "experiments" / "trigram.py")
assert _spec is not None
assert _spec.loader is not None
trigram = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(trigram)

WORDS = [EOS, *range(4, 11)]  # the last one is never seen
_draw = random.Random(0)
TEXTS = [[*_draw.choices(WORDS[1:-1], weights=[9, 5, 3, 2, 1, 1], k=_draw.randint(0, 9)), EOS] for _ in range(25)]
MODEL = trigram.KneserNey(TEXTS, len(WORDS))
CONTEXTS = list(itertools.product([BOS, *WORDS], repeat=2))


def brute_force(history: tuple[int, ...], word: int) -> float:
    """By the formula, with every count made anew from the text."""
    if len(history) == 2:
        seen = [triple for text in TEXTS for triple in zip([BOS, BOS, *text], [BOS, *text], text, strict=False)]
    else:
        triples = {triple for text in TEXTS for triple in zip([BOS, BOS, *text], [BOS, *text], text, strict=False)}
        seen = [triple[1:] for triple in triples]
        if not history:
            seen = [pair[1:] for pair in set(seen)]
    times = [seen.count(gram) for gram in set(seen)]
    discount = times.count(1) / (times.count(1) + 2 * times.count(2)) if times.count(1) else 0.5
    shorter = brute_force(history[1:], word) if history else 1 / len(WORDS)
    followers = [gram[-1] for gram in seen if gram[:-1] == history]
    if not followers:
        return shorter
    kept = max(followers.count(word) - discount, 0)
    return (kept + discount * len(set(followers)) * shorter) / len(followers)


def test_probabilities_are_those_of_the_formula() -> None:
    for history in CONTEXTS:
        for word in WORDS:
            assert MODEL.probability((*history, word)) == pytest.approx(brute_force(history, word), rel=1e-12)


def test_probabilities_of_what_may_follow_sum_to_one() -> None:
    for history in CONTEXTS:
        found = [MODEL.probability((*history, word)) for word in WORDS]
        assert min(found) > 0
        assert sum(found) == pytest.approx(1, abs=1e-12)


def test_what_a_text_costs_is_the_sum_of_its_tokens() -> None:
    first, second = MODEL.probability((BOS, BOS, 4)), MODEL.probability((BOS, 4, EOS))
    assert MODEL.nll([4, EOS]) == pytest.approx(-math.log(first) - math.log(second), rel=1e-12)
