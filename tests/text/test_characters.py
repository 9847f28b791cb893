from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from s2s_lit.text.characters import SPACE, Characters
from s2s_lit.text.normalize import normalize
from s2s_lit.types import BOS, EOS, PAD, UNK


@given(st.text(min_size=1).map(normalize).filter(lambda text: text and SPACE not in text))
def test_round_trip_is_exact_for_any_text_with_single_spaces(text: str) -> None:
    tokenizer = Characters().train([text])
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode(text)) == len(tokenizer.tokenize(text)) == len(text)


def test_spaces_can_be_seen_and_unknown_characters_are_marked() -> None:
    tokenizer = Characters().build(["a b"])
    assert tokenizer.tokenize("b a") == ["b", SPACE, "a"]
    assert tokenizer.encode("bxa")[1] == UNK
    assert tokenizer.decode([BOS, *tokenizer.encode("bx a"), EOS, PAD]) == "b⁇ a"


def test_stray_spaces_of_a_model_are_no_text() -> None:
    tokenizer = Characters().build(["a b"])
    assert tokenizer.decode(tokenizer.vocabulary.encode([SPACE, "a", SPACE, SPACE, "b", SPACE])) == "a b"
