"""Exact match and F1 against the arithmetic of SQuAD v1.1's script, written again from its description."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2s_lit.metrics.answers import ExactMatch, WordF1
from s2s_lit.metrics.text import TextMetric

WORDS = ["the", "The", "a", "An", "theatre", "Cat.", "cat", "don't", "dont", "-", "42%", "Ünder", "«the»", "the-a"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=7).map("  ".join) | st.text(max_size=12)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6)
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def words_of(text: str) -> list[str]:
    """Lower case; each ASCII punctuation mark deleted; a, an, the deleted where no letter, digit or _ touches them."""
    text = "".join(c for c in text.lower() if c not in PUNCTUATION)
    runs, run = [], ""
    for c in [*text, ""]:  # cut into runs of word characters and single others
        if c and (c.isalnum() or c == "_"):
            run += c
        else:
            runs += [run, c]
            run = ""
    return "".join(" " if run in ("a", "an", "the") else run for run in runs).split()


def f1_of(hypothesis: str, reference: str) -> float:
    ours, theirs = words_of(hypothesis), words_of(reference)
    left = list(theirs)
    same = 0
    for word in ours:
        if word in left:
            left.remove(word)
            same += 1
    if same == 0:
        return 0.0
    precision, recall = same / len(ours), same / len(theirs)
    return 2 * precision * recall / (precision + recall)


def score(metric: TextMetric, pairs: list[tuple[str, str]]) -> float:
    metric.update(*zip(*pairs, strict=True))
    return metric.compute().item()


@settings(max_examples=200, deadline=None)
@given(PAIRS)
def test_equals_the_script(pairs: list[tuple[str, str]]) -> None:
    exact = [words_of(hypothesis) == words_of(reference) for hypothesis, reference in pairs]
    f1 = [f1_of(hypothesis, reference) for hypothesis, reference in pairs]
    assert score(ExactMatch(), pairs) == pytest.approx(100 * sum(exact) / len(pairs))
    assert score(WordF1(), pairs) == pytest.approx(100 * sum(f1) / len(pairs), abs=1e-9)


@pytest.mark.parametrize(
    ("hypothesis", "reference", "exact", "f1"),
    [
        ("The Eiffel Tower.", "eiffel tower", 100, 100),
        ("a cat", "the  cat!", 100, 100),
        ("theatre", "atre", 0, 0),
        ("Denver Broncos", "Broncos", 0, 200 / 3),
        ("cat cat", "cat", 0, 200 / 3),
        ("", "", 100, 0),
    ],
)
def test_by_hand(hypothesis: str, reference: str, exact: float, f1: float) -> None:
    assert score(ExactMatch(), [(hypothesis, reference)]) == pytest.approx(exact)
    assert score(WordF1(), [(hypothesis, reference)]) == pytest.approx(f1)
