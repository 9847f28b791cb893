"""The largest values against torch's own."""

from __future__ import annotations

import pytest
import torch

from s2s_lit.decoding.topk import top_tokens


@pytest.mark.parametrize("count", [1, 4, 10])
@pytest.mark.parametrize("vocabulary", [10, 640, 647, 1003, 8000])
def test_equals_torch(vocabulary: int, count: int) -> None:
    generator = torch.Generator().manual_seed(vocabulary)
    values = torch.randn(3, 50, vocabulary, generator=generator)
    expected = values.topk(count)
    assert torch.equal(top_tokens(values, count)[0], expected.values)
    assert torch.equal(top_tokens(values, count)[1], expected.indices)


def test_finds_them_side_by_side_in_one_group_and_at_the_end() -> None:
    values = torch.zeros(1, 1003)
    best = [1002, 1001, 0, 125, 250, 1000, 999, 3]  # 0, 125 and 250 are of one group; 1000 and more of none
    values[0, best] = torch.arange(8.0, 0.0, -1.0)
    assert top_tokens(values, 8)[1].tolist() == [best]


def test_impossible_tokens_and_equal_ones() -> None:
    values = torch.full((1, 900), -torch.inf)
    values[0, 5:9] = -1.0
    found, ids = top_tokens(values, 6)
    assert found.tolist() == [[-1.0] * 4 + [-torch.inf] * 2]
    assert sorted(ids[0, :4].tolist()) == [5, 6, 7, 8]
    assert len(set(ids[0].tolist())) == 6
