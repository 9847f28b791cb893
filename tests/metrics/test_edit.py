"""Edits, against jiwer."""

from __future__ import annotations

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2s_lit.metrics.edit import CharacterErrorRate, EditDistance, WordErrorRate

WORDS = ["der", "die", "das", "Hund", "Katze", "schläft", "läuft", "nicht"]
SENTENCES = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
NOT_EMPTY = SENTENCES.filter(bool)  # jiwer refuses an empty reference


def alone(references: list[str]) -> list[list[str]]:
    """One reference for each hypothesis."""
    return [[reference] for reference in references]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(SENTENCES, NOT_EMPTY), min_size=1, max_size=8))
def test_equals_jiwers_edits_per_sentence(pairs: list[tuple[str, str]]) -> None:
    hypotheses, references = (list(column) for column in zip(*pairs, strict=True))
    words = jiwer.process_words(references, hypotheses)
    metric = EditDistance()
    metric.update(hypotheses, alone(references))
    expected = (words.substitutions + words.insertions + words.deletions) / len(pairs)
    assert metric.compute().item() == pytest.approx(expected, abs=1e-12)


def test_is_the_mean_over_sentences() -> None:
    metric = EditDistance()
    metric.update(["der große Hund", "er  schläft\tnicht"], [["der Hund bellt"], ["er schläft nicht"]])
    metric.update([""], [["vier Wörter sind es"]])
    assert metric.compute().item() == pytest.approx((2 + 0 + 4) / 3)


def test_an_empty_reference_costs_every_word() -> None:
    metric = EditDistance()
    metric.update(["drei Wörter hier"], [[""]])
    assert metric.compute().item() == 3


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(SENTENCES | st.text(max_size=12), NOT_EMPTY), min_size=1, max_size=8))
def test_the_rates_are_jiwers_in_percent(pairs: list[tuple[str, str]]) -> None:
    hypotheses, references = (list(column) for column in zip(*pairs, strict=True))
    words, characters = WordErrorRate(), CharacterErrorRate()
    words.update(
        [" ".join(hypothesis.split()) for hypothesis in hypotheses], alone(references)
    )  # jiwer splits at " " only
    characters.update(hypotheses, alone(references))
    split = [" ".join(hypothesis.split()) for hypothesis in hypotheses]
    assert words.compute().item() == pytest.approx(100 * jiwer.wer(references, split))
    assert characters.compute().item() == pytest.approx(100 * jiwer.cer(references, hypotheses))


def test_rates_are_of_the_corpus_not_means_of_sentences() -> None:
    metric = WordErrorRate()
    metric.update(["ein Hund", "x"], [["ein Hund schläft im Garten"], ["y"]])
    assert metric.compute().item() == pytest.approx(100 * (3 + 1) / (5 + 1))


def test_too_long_a_hypothesis_makes_more_errors_than_units() -> None:
    metric = CharacterErrorRate()
    metric.update(["abcdef"], [["ab"]])
    assert metric.compute().item() == pytest.approx(200)


def test_of_several_references_the_nearest_counts() -> None:
    distance, words, characters = EditDistance(), WordErrorRate(), CharacterErrorRate()
    for metric in (distance, words, characters):
        metric.update(["a b c", "x"], [["a b q d e", "a b", "y y y y"], ["x x x", "x"]])
    assert distance.compute().item() == pytest.approx((1 + 0) / 2)
    assert words.compute().item() == pytest.approx(100 * (1 + 0) / (2 + 1))  # 1 of 2 is less than 3 of 5
    assert characters.compute().item() == pytest.approx(100 * (5 + 0) / (9 + 1))  # 5 of 9 are less than 2 of 3
