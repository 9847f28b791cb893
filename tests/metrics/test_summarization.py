"""ROUGE, against rouge-score."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from s2s_lit.metrics.summarization import Rouge1, Rouge2, RougeL
from s2s_lit.metrics.text import TextMetric

KINDS = [Rouge1, Rouge2, RougeL]
WORDS = ["the", "The", "dog", "dogs", "cat's", "über", "b2b", "-", "sleeps.", "IN", "İ", "3,5"]
SENTENCES = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=20)
PAIRS = st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=8)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, deadline=None)
@given(pairs=PAIRS)
def test_equals_the_mean_of_rouge_scores_sentences(kind: type[TextMetric], pairs: list[tuple[str, str]]) -> None:
    scorer = RougeScorer([kind.name])
    theirs = [scorer.score(reference, hypothesis)[kind.name].fmeasure for hypothesis, reference in pairs]
    metric = kind()
    metric.update([hypothesis for hypothesis, _ in pairs], [[reference] for _, reference in pairs])
    assert metric.compute().item() == pytest.approx(100 * sum(theirs) / len(theirs), abs=1e-9)


def test_by_hand() -> None:
    hypothesis, reference = "police kill the gunman", "police killed the gunman"  # Lin 2004, section 3.1
    expected = {Rouge1: 75.0, Rouge2: 100 / 3, RougeL: 75.0}
    for kind, value in expected.items():
        metric = kind()
        metric.update([hypothesis], [[reference]])
        assert metric.compute().item() == pytest.approx(value)


def test_order_counts_for_the_longest_common_subsequence() -> None:
    metric = RougeL()
    metric.update(["the gunman kill police"], [["police killed the gunman"]])
    assert metric.compute().item() == pytest.approx(50)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, deadline=None)
@given(found=st.lists(st.tuples(SENTENCES, st.lists(SENTENCES, min_size=1, max_size=4)), min_size=1, max_size=6))
def test_of_several_references_the_best_counts_as_in_rouge_score(
    kind: type[TextMetric], found: list[tuple[str, list[str]]]
) -> None:
    scorer = RougeScorer([kind.name])
    theirs = [scorer.score_multi(references, hypothesis)[kind.name].fmeasure for hypothesis, references in found]
    metric = kind()
    metric.update(*zip(*found, strict=True))
    assert metric.compute().item() == pytest.approx(100 * sum(theirs) / len(theirs), abs=1e-9)
