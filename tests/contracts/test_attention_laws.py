"""What every attention obeys."""

from __future__ import annotations

import pytest
import torch

from s2s_lit.nn.attention.base import Attention
from support.parts import concrete_subclasses

ATTENTIONS = concrete_subclasses(Attention, "s2s_lit.nn.attention")
QUERY, MEMORY = 6, 4


@pytest.fixture(params=ATTENTIONS, ids=lambda cls: cls.__name__)
def attention(request: pytest.FixtureRequest) -> Attention:
    torch.manual_seed(0)
    return request.param(QUERY, MEMORY)


@pytest.fixture
def queries() -> torch.Tensor:
    return torch.randn(3, 5, QUERY, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def memory() -> torch.Tensor:
    return torch.randn(3, 7, MEMORY, generator=torch.Generator().manual_seed(2))


MASK = torch.arange(7) < torch.tensor([7, 3, 1]).unsqueeze(1)


def test_weights_are_a_distribution_over_real_positions(
    attention: Attention, queries: torch.Tensor, memory: torch.Tensor
) -> None:
    contexts, weights = attention(queries, attention.prepare(memory, MASK))
    assert contexts.shape == (3, 5, attention.context_size)
    assert (weights >= 0).all()
    assert (weights.masked_select(~MASK.unsqueeze(1)) == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 5))


def test_padding_changes_nothing(attention: Attention, queries: torch.Tensor, memory: torch.Tensor) -> None:
    noisy = torch.where(MASK.unsqueeze(-1), memory, torch.full_like(memory, 1e3))
    for one, other in zip(
        attention(queries, attention.prepare(memory, MASK)),
        attention(queries, attention.prepare(noisy, MASK)),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_queries_are_independent(attention: Attention, queries: torch.Tensor, memory: torch.Tensor) -> None:
    prepared = attention.prepare(memory, MASK)
    together, _ = attention(queries, prepared)
    for q in range(queries.shape[1]):
        alone, _ = attention(queries[:, q : q + 1], prepared)
        torch.testing.assert_close(together[:, q : q + 1], alone)


def test_the_weights_depend_on_the_query(attention: Attention, queries: torch.Tensor, memory: torch.Tensor) -> None:
    _, weights = attention(queries, attention.prepare(memory, MASK))
    assert not torch.allclose(weights[0, 0], weights[0, 1])
