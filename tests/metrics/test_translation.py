"""The metrics of machine translation against sacrebleu on the whole corpus."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from s2s_lit.metrics.text import TextMetric
from s2s_lit.metrics.translation import Bleu, Chrf, Ter

SAME = [(Bleu, BLEU), (Chrf, CHRF), (Ter, TER)]
WORDS = ["ein", "Ein", "Hund", "läuft", "über", "die", "Straße", "groß", "und", "&quot;", ",", ".", "3,5", "-"]
SENTENCES = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=30)
PAIRS = st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=12)

GERMAN = [
    ("Ein Mann mit Hut starrt etwas an.", "Ein Mann mit einem orangefarbenen Hut, der etwas anstarrt."),
    ("Ein Boston Terrier läuft über Gras.", "Ein Boston Terrier läuft über saftig-grünes Gras."),
    ("Fünf Leute, die im Schnee stehen.", "Fünf Leute in Winterjacken stehen im Schnee, mit einem Haus."),
    ("Leute reparieren das Dach.", "Leute Reparieren das Dach eines Hauses."),
    ("Das Haus eines Mannes", "Das Haus eines Mannes"),
]


def alone(references: list[str]) -> list[list[str]]:
    """One reference for each hypothesis."""
    return [[reference] for reference in references]


@pytest.mark.parametrize(("ours", "theirs"), SAME)
@settings(max_examples=60, deadline=None)
@given(pairs=PAIRS, size=st.integers(1, 5))
def test_equals_sacrebleu_to_the_last_digit(
    ours: type[TextMetric], theirs: type, pairs: list[tuple[str, str]], size: int
) -> None:
    metric = ours()
    for start in range(0, len(pairs), size):
        hypotheses, references = (list(column) for column in zip(*pairs[start : start + size], strict=True))
        metric.update(hypotheses, alone(references))
    hypotheses, references = (list(column) for column in zip(*pairs, strict=True))
    assert metric.compute().item() == theirs().corpus_score(hypotheses, [references]).score


@pytest.mark.parametrize(("ours", "theirs"), SAME)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), number=st.integers(2, 4), count=st.integers(1, 6))
def test_equals_sacrebleu_with_several_references(
    ours: type[TextMetric], theirs: type, data: st.DataObject, number: int, count: int
) -> None:
    hypotheses = data.draw(st.lists(SENTENCES, min_size=count, max_size=count))
    references = data.draw(
        st.lists(st.lists(SENTENCES, min_size=number, max_size=number), min_size=count, max_size=count)
    )
    metric, scorer = ours(), theirs()
    for hypothesis, own in zip(hypotheses, references, strict=True):
        metric.update([hypothesis], [own])
    expected = scorer.corpus_score(hypotheses, [list(column) for column in zip(*references, strict=True)]).score
    # TER divides by the mean length of the references, which three of them make no binary fraction.
    assert metric.compute().item() == pytest.approx(expected, rel=1e-5 if number == 3 and ours is Ter else 1e-12)
    assert metric.signature() == str(scorer.get_signature())
    assert f"nrefs:{number}" in metric.signature()


@pytest.mark.parametrize(("ours", "theirs"), SAME)
def test_equals_sacrebleu_where_the_number_of_references_varies(ours: type[TextMetric], theirs: type) -> None:
    hypotheses, references = (list(column) for column in zip(*GERMAN, strict=True))
    more = [[reference, reference.lower()][: 1 + i % 2] for i, reference in enumerate(references)]
    metric, scorer = ours(), theirs()
    metric.update(hypotheses, more)
    expected = scorer.corpus_score(hypotheses, [references, [each[1] if each[1:] else None for each in more]])
    assert metric.compute().item() == expected.score
    assert metric.signature() == str(scorer.get_signature())


@pytest.mark.parametrize(("ours", "theirs"), SAME)
def test_another_reference_can_only_help_to_be_right(ours: type[TextMetric], theirs: type) -> None:
    hypotheses, references = (list(column) for column in zip(*GERMAN, strict=True))
    one, more = ours(), ours()
    one.update(hypotheses, alone(references))
    more.update(hypotheses, [[reference, hypothesis] for hypothesis, reference in GERMAN])
    assert (more.compute() > one.compute()) == one.higher_is_better
    assert more.compute().item() == pytest.approx(100 if one.higher_is_better else 0)


@pytest.mark.parametrize(("ours", "theirs"), SAME)
def test_equals_sacrebleu_on_german(ours: type[TextMetric], theirs: type) -> None:
    hypotheses, references = (list(column) for column in zip(*GERMAN, strict=True))
    metric, reference = ours(), theirs()
    metric.update(hypotheses, alone(references))
    expected = reference.corpus_score(hypotheses, [references]).score
    assert 0 < expected < 100
    assert metric.compute().item() == expected
    assert metric.signature() == str(reference.get_signature())


def test_the_tokenizer_is_sacrebleus() -> None:
    hypotheses, references = (list(column) for column in zip(*GERMAN, strict=True))
    metric, reference = Bleu(tokenize="char"), BLEU(tokenize="char")
    metric.update(hypotheses, alone(references))
    assert metric.compute().item() == reference.corpus_score(hypotheses, [references]).score
    assert "tok:char" in metric.signature()


@pytest.mark.parametrize(
    ("metric", "reference", "case"),
    [
        (Bleu(lowercase=True), BLEU(lowercase=True), "case:lc"),
        (Chrf(lowercase=True), CHRF(lowercase=True), "case:lc"),
        (Ter(case_sensitive=True), TER(case_sensitive=True), "case:mixed"),
    ],
)
def test_case_is_as_sacrebleu_has_it(metric: TextMetric, reference: Any, case: str) -> None:
    hypotheses, references = (list(column) for column in zip(*GERMAN, strict=True))
    usual = type(metric)()
    for scorer in (metric, usual):
        scorer.update(hypotheses, alone(references))
    assert metric.compute().item() == reference.corpus_score(hypotheses, [references]).score != usual.compute().item()
    assert metric.signature() == str(reference.get_signature())
    assert case in metric.signature()


def test_the_reference_is_the_second() -> None:
    """BLEU punishes short hypotheses, not short references."""
    metric = Bleu()
    metric.update(["der Hund schläft im Haus"], [["der Hund schläft im Haus und träumt vom Schnee"]])
    swapped = Bleu()
    swapped.update(["der Hund schläft im Haus und träumt vom Schnee"], [["der Hund schläft im Haus"]])
    assert metric.compute() == pytest.approx(100 * 2.718281828 ** (1 - 9 / 5))
    assert swapped.compute() != metric.compute()
