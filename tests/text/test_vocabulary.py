from __future__ import annotations

import pytest

from s2s_lit.text.vocabulary import SPECIALS, Vocabulary
from s2s_lit.types import BOS, EOS, PAD, UNK


def test_specials_have_the_ids_every_room_relies_on() -> None:
    vocabulary = Vocabulary.from_counts({"a": 1})
    assert [vocabulary.pieces[i] for i in (PAD, UNK, BOS, EOS)] == list(SPECIALS)


def test_most_frequent_come_first_and_ties_by_spelling() -> None:
    assert Vocabulary.from_counts({"b": 2, "a": 2, "c": 5}).pieces[4:] == ("c", "a", "b")


def test_min_count_and_max_size_prune() -> None:
    counts = {"a": 5, "b": 3, "c": 2, "d": 1}
    assert Vocabulary.from_counts(counts, min_count=2).pieces[4:] == ("a", "b", "c")
    assert Vocabulary.from_counts(counts, max_size=6).pieces[4:] == ("a", "b")
    assert len(Vocabulary.from_counts(counts, max_size=2)) == 4  # the specials are always there


def test_a_special_in_the_text_is_no_second_piece() -> None:
    assert Vocabulary.from_counts({"</s>": 9, "a": 1}).pieces == (*SPECIALS, "a")


def test_unknown_pieces_are_unk_and_ids_go_back() -> None:
    vocabulary = Vocabulary.from_counts({"a": 2, "b": 1})
    assert vocabulary.encode(["b", "x", "a"]) == [5, UNK, 4]
    assert vocabulary.decode([5, 4]) == ["b", "a"]
    assert "a" in vocabulary
    assert "x" not in vocabulary


@pytest.mark.parametrize("pieces", [["a"], [*SPECIALS, "a", "a"]])
def test_refuses_lists_that_are_no_vocabulary(pieces: list[str]) -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        Vocabulary(pieces)
