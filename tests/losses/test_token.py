"""The token loss against torch's own cross-entropy and against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from s2s_lit.errors import UserError
from s2s_lit.losses.token import TokenNLL
from support.outputs import batch_of_tokens, output_of

LOGITS = torch.randn(9, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
TARGETS = torch.arange(9) % 7
BATCH = batch_of_tokens(TARGETS)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_it_is_the_cross_entropy_summed(smoothing: float) -> None:
    result = TokenNLL(label_smoothing=smoothing)(output_of(logits=LOGITS), BATCH)
    expected = F.cross_entropy(LOGITS, TARGETS, reduction="sum", label_smoothing=smoothing)
    torch.testing.assert_close(result.objective, expected)
    torch.testing.assert_close(result.nll, F.cross_entropy(LOGITS, TARGETS, reduction="sum"))
    assert result.count == 9


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_float64_is_numpys(smoothing: float) -> None:
    logits = LOGITS.double().requires_grad_()
    result = TokenNLL(label_smoothing=smoothing)(output_of(logits=logits), BATCH)
    result.objective.backward()
    x = logits.detach().numpy()
    probabilities = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    wanted = (1 - smoothing) * np.eye(7)[TARGETS.numpy()] + smoothing / 7  # the distribution that is approached
    np.testing.assert_allclose(result.objective.item(), -(wanted * np.log(probabilities)).sum(), rtol=1e-12)
    np.testing.assert_allclose(logits.grad.numpy(), probabilities - wanted, atol=1e-12)


def test_smoothing_is_for_training_alone() -> None:
    result = TokenNLL(label_smoothing=0.3).eval()(output_of(logits=LOGITS), BATCH)
    torch.testing.assert_close(result.objective, result.nll)


def test_sixteen_bits_are_normalized_in_thirty_two() -> None:
    result = TokenNLL()(output_of(logits=LOGITS.bfloat16()), BATCH)
    assert result.objective.dtype == torch.float32
    torch.testing.assert_close(result.nll, F.cross_entropy(LOGITS.bfloat16().float(), TARGETS, reduction="sum"))


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_what_is_no_share_is_refused(smoothing: float) -> None:
    with pytest.raises(UserError, match=r"task\.loss\.label_smoothing"):
        TokenNLL(label_smoothing=smoothing)
