from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s_lit.text.normalize import normalize
from s2s_lit.text.words import JOINER, Words, detokenize, tokenize
from s2s_lit.types import BOS, EOS, PAD, UNK


def test_marks_carry_the_joiner_and_words_do_not() -> None:
    assert tokenize('Er sagt: "Ja."') == ["Er", "sagt", "￭:", '"￭', "Ja", "￭.", '￭"']
    assert tokenize("(a) b - c") == ["(￭", "a", "￭)", "b", "-", "c"]


def test_inner_hyphens_and_apostrophes_belong_to_the_word() -> None:
    assert tokenize("Das T-Shirt, it's 3.5") == ["Das", "T-Shirt", "￭,", "it's", "3", "￭.￭", "5"]


@pytest.mark.parametrize("word", ["हिन्दी", "தமிழ்", "שָׁלוֹם", "مُحَمَّد", "ไม่"])
def test_combining_marks_belong_to_the_word(word: str) -> None:
    assert tokenize(f"{word}, {word}-{word}.") == [word, "￭,", f"{word}-{word}", "￭."]


@given(st.text().map(normalize).filter(lambda text: JOINER not in text))
def test_detokenization_is_exact_for_any_text_with_single_spaces(text: str) -> None:
    assert detokenize(tokenize(text)) == text


@given(st.text(alphabet="ab1-'.,( )\"").map(normalize))
def test_detokenization_is_exact_for_dense_punctuation(text: str) -> None:
    assert detokenize(tokenize(text)) == text


def test_tokenizer_round_trip_and_specials() -> None:
    tokenizer = Words().build(["Ein Mann, ein Hund."])
    ids = tokenizer.encode("Ein Hund, ein Mann.")
    assert tokenizer.decode([BOS, *ids, EOS, PAD, PAD]) == "Ein Hund, ein Mann."
    unknown = tokenizer.encode("Ein Pferd.")
    assert unknown[1] == UNK
    assert tokenizer.decode(unknown) == "Ein ⁇."
    assert tokenizer.tokenize("Ein Pferd.") == ["Ein", "Pferd", "￭."]


def test_words_are_counted_in_all_texts() -> None:
    assert Words().build(["a b", "c a"]).tokens[4:] == ("a", "b", "c")
