"""The shapes that docstrings and signatures state are checked while the tests run."""

from __future__ import annotations

import pytest
import torch

from s2s_lit.nn.attention.additive import AdditiveAttention


def test_a_wrong_shape_is_an_error_here() -> None:
    attention = AdditiveAttention(3, 4, attention_size=5)
    attention.score(torch.zeros(2, 7, 3), torch.zeros(2, 6, 5))
    with pytest.raises(Exception, match=r"queries|keys"):
        attention.score(torch.zeros(2, 7, 3), torch.zeros(1, 6, 5))  # torch itself would broadcast the batch
