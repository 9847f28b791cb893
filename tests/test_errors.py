"""What messages for the user share."""

from __future__ import annotations

import pytest

from s2s_lit.errors import did_you_mean


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("gruu", "; did you mean EXP=gru?"),
        ("BiLSTM", "; did you mean EXP=bilstm_attn?"),  # it begins so
        ("transformer", ""),
        ("", ""),
    ],
)
def test_the_nearest_name_is_offered(word: str, hint: str) -> None:
    assert did_you_mean(word, ["lstm", "gru", "bilstm_attn"], prefix="EXP=") == hint


def test_several_may_be_offered() -> None:
    assert did_you_mean("hause", ["mouse", "house", "car"], most=5) == "; did you mean house, mouse?"
