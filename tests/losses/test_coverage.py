"""The coverage loss against the paper's sum, written out."""

from __future__ import annotations

import pytest
import torch

from s2s_lit.errors import UserError
from s2s_lit.losses.coverage import CoveragePenalty
from support.outputs import batch_of_lengths, output_of


def test_it_is_the_papers_sum_over_real_positions() -> None:
    torch.manual_seed(0)
    weights = torch.randn(2, 4, 3).softmax(-1).requires_grad_()
    lengths = [4, 2]
    expected = 0.0
    for b, length in enumerate(lengths):
        covered = [0.0] * 3
        for t in range(length):
            for s in range(3):
                a = weights[b, t, s].item()
                expected += min(a, covered[s])
                covered[s] += a
    batch = batch_of_lengths(torch.tensor(lengths), 4)
    found = CoveragePenalty(weight=0.5)(output_of(weights=weights), batch)
    torch.testing.assert_close(found, torch.tensor(0.5 * expected))
    found.backward()
    assert weights.grad is not None
    assert (weights.grad[0] != 0).any()
    assert (weights.grad[1, 2:] == 0).all()  # padding


def test_looking_everywhere_once_costs_nothing_and_the_same_again_everything() -> None:
    batch = batch_of_lengths(torch.tensor([3]), 3)
    assert CoveragePenalty()(output_of(weights=torch.eye(3).unsqueeze(0)), batch) == 0
    assert CoveragePenalty()(output_of(weights=torch.tensor([[[1.0, 0, 0]] * 3])), batch) == 2


def test_it_needs_an_attention() -> None:
    with pytest.raises(UserError, match=r"set model\.decoder\.attention"):
        CoveragePenalty()(output_of(), batch_of_lengths(torch.tensor([4, 4]), 4))
