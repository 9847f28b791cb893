"""Groups of sentences."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from s2s_lit.metrics.buckets import by_length, by_rarest_word

TEXTS = st.lists(st.lists(st.sampled_from("a b c d , .".split()), max_size=60).map(" ".join), max_size=30)


@given(TEXTS)
def test_each_sentence_is_in_one_group_of_each_kind(sources: list[str]) -> None:
    for groups in (by_length(sources), by_rarest_word(sources)):
        assert sorted(row for bucket in groups for row in bucket.rows) == list(range(len(sources)))
        assert all(bucket.rows for bucket in groups)


def test_lengths_are_words_of_the_source() -> None:
    groups = {bucket.label: bucket.rows for bucket in by_length(["a", "", "a b c d e f", "w " * 50, "w " * 51])}
    assert groups == {"1-5": [0, 1], "6-10": [2], "31-50": [3], "51+": [4]}


def test_the_rarest_word_counts_without_case_and_punctuation() -> None:
    groups = {bucket.label: bucket.rows for bucket in by_rarest_word(["The dog.", "the dog", "A dog", "the cat", "!"])}
    assert groups == {"1": [2, 3, 4], "2": [], "3-5": [0, 1]} or groups == {"1": [2, 3, 4], "3-5": [0, 1]}


def test_words_that_differ_in_a_combining_mark_are_two() -> None:
    (bucket,) = by_rarest_word(["की।", "के", "कि"])
    assert bucket.label == "1"
