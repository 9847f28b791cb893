"""Exact match and F1 against the evaluation script of SQuAD v1.1, as torchmetrics has it.

Where neither side has a word that counts, torchmetrics gives an F1 of 1 as the script of v2.0, that of v1.1 gives 0.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.text import squad

from s2s_lit.metrics.answers import ExactMatch, WordF1, answer_words
from s2s_lit.metrics.text import TextMetric

WORDS = ["the", "The", "a", "An", "theatre", "Cat.", "cat", "don't", "dont", "-", "42%", "Ünder", "«the»", "the-a"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=7).map("  ".join) | st.text(max_size=12)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS.filter(answer_words)), min_size=1, max_size=6)


def score(metric: TextMetric, pairs: list[tuple[str, str]]) -> float:
    return score_of(metric, [(hypothesis, [reference]) for hypothesis, reference in pairs])


def score_of(metric: TextMetric, answers: list[tuple[str, list[str]]]) -> float:
    metric.update(*zip(*answers, strict=True))
    return metric.compute().item()


@settings(max_examples=100, deadline=None)
@given(PAIRS)
def test_equals_the_script(pairs: list[tuple[str, str]]) -> None:
    answers = [{"prediction_text": hypothesis, "id": str(i)} for i, (hypothesis, _) in enumerate(pairs)]
    truths = [
        {"answers": {"answer_start": [0], "text": [reference]}, "id": str(i)} for i, (_, reference) in enumerate(pairs)
    ]
    expected = squad(answers, truths)  # in 32 bits
    assert score(ExactMatch(), pairs) == pytest.approx(expected["exact_match"].item(), rel=1e-5)
    assert score(WordF1(), pairs) == pytest.approx(expected["f1"].item(), rel=1e-5)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(TEXTS, st.lists(TEXTS.filter(answer_words), min_size=1, max_size=4)), min_size=1, max_size=6))
def test_of_several_answers_the_best_counts_as_in_the_script(found: list[tuple[str, list[str]]]) -> None:
    answers = [{"prediction_text": hypothesis, "id": str(i)} for i, (hypothesis, _) in enumerate(found)]
    truths = [
        {"answers": {"answer_start": [0] * len(references), "text": references}, "id": str(i)}
        for i, (_, references) in enumerate(found)
    ]
    expected = squad(answers, truths)
    assert score_of(ExactMatch(), found) == pytest.approx(expected["exact_match"].item(), rel=1e-5)
    assert score_of(WordF1(), found) == pytest.approx(expected["f1"].item(), rel=1e-5)


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
