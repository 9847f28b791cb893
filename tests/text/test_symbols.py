from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from s2s_lit.text.normalize import normalize
from s2s_lit.text.symbols import Symbols
from s2s_lit.text.vocabulary import SPECIALS
from s2s_lit.types import BOS, EOS, PAD, UNK


@given(st.text(min_size=1).map(normalize).filter(lambda text: text and not {*text.split()} & {*SPECIALS}))
def test_round_trip_is_exact_for_any_text_with_single_spaces(text: str) -> None:
    tokenizer = Symbols().train([text])
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.tokenize(text) == text.split()


def test_only_spaces_part_symbols() -> None:
    tokenizer = Symbols().build(["HH AH0 L OW1 , don't"])
    assert tokenizer.tokens[4:] == (",", "AH0", "HH", "L", "OW1", "don't")
    assert tokenizer.decode([BOS, *tokenizer.encode("L OW1 , Z"), EOS, PAD]) == "L OW1 , ⁇"
    assert tokenizer.encode("don 't") == [UNK, UNK]
