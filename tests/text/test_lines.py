from __future__ import annotations

from s2s_lit.text.lines import encode_lines
from s2s_lit.text.words import Words
from s2s_lit.types import EOS


def test_one_example_a_line_in_order_with_an_eos() -> None:
    tokenizers = Words().build([("a b", "c")])
    first, empty, last = encode_lines(["b  a\n", "", "a"], tokenizers)
    assert first.source_ids == [*tokenizers.source.encode("b a"), EOS]
    assert first.source_text == "b a"
    assert empty.source_ids == [EOS]
    assert [example.row for example in (first, empty, last)] == [0, 1, 2]
    assert first.target_ids == []
