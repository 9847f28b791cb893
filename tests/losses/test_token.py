"""The token loss against torch's own cross-entropy."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from s2s_lit.losses.token import TokenNLL

LOGITS = torch.randn(9, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
TARGETS = torch.arange(9) % 7


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_it_is_the_cross_entropy_summed(smoothing: float) -> None:
    result = TokenNLL(label_smoothing=smoothing)(LOGITS, TARGETS)
    expected = F.cross_entropy(LOGITS, TARGETS, reduction="sum", label_smoothing=smoothing)
    torch.testing.assert_close(result.objective, expected)
    torch.testing.assert_close(result.nll, F.cross_entropy(LOGITS, TARGETS, reduction="sum"))
    assert result.count == 9
    assert result.correct == (LOGITS.argmax(-1) == TARGETS).sum()


def test_smoothing_is_for_training_alone() -> None:
    result = TokenNLL(label_smoothing=0.3).eval()(LOGITS, TARGETS)
    torch.testing.assert_close(result.objective, result.nll)
