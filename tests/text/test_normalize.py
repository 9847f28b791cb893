from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from s2s_lit.text.normalize import normalize


def test_composes_letters_and_collapses_white_space() -> None:
    assert normalize("  Gru\u0308n\tund\u00a0 blau\n") == "Grün und blau"
    assert normalize("\ufeffGr\u200b ün\u200b") == "Gr ün"


@given(st.text())
def test_is_idempotent(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)
