from __future__ import annotations

import pytest

from s2s_lit.text.vocabulary import SPECIALS, Vocabulary
from s2s_lit.types import BOS, EOS, PAD, UNK


def test_specials_have_the_ids_every_room_relies_on() -> None:
    vocabulary = Vocabulary([*SPECIALS, "a"])
    assert [vocabulary.tokens[i] for i in (PAD, UNK, BOS, EOS)] == list(SPECIALS)


def test_unknown_tokens_are_unk() -> None:
    vocabulary = Vocabulary([*SPECIALS, "a", "b"])
    assert vocabulary.encode(["b", "x", "a"]) == [5, UNK, 4]


def test_a_special_in_a_text_is_no_mark() -> None:
    assert Vocabulary([*SPECIALS, "a"]).encode(["a", *SPECIALS]) == [4, UNK, UNK, UNK, UNK]


@pytest.mark.parametrize("tokens", [["a"], [*SPECIALS, "a", "a"]])
def test_refuses_lists_that_are_no_vocabulary(tokens: list[str]) -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        Vocabulary(tokens)
