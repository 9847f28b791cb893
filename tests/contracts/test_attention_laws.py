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


def run(attention: Attention, queries: torch.Tensor, memory: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Contexts and weights of a whole target."""
    prepared = attention.prepare(memory, MASK)
    contexts, weights, _ = attention(queries, prepared, attention.start(prepared))
    return contexts, weights


MASK = torch.arange(7) < torch.tensor([7, 3, 1]).unsqueeze(1)


def test_weights_are_a_distribution_over_real_positions(
    attention: Attention, queries: torch.Tensor, memory: torch.Tensor
) -> None:
    contexts, weights = run(attention, queries, memory)
    assert contexts.shape == (3, 5, attention.context_size)
    assert (weights >= 0).all()
    assert (weights.masked_select(~MASK.unsqueeze(1)) == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 5))


def test_padding_changes_nothing(attention: Attention, queries: torch.Tensor, memory: torch.Tensor) -> None:
    noisy = torch.where(MASK.unsqueeze(-1), memory, torch.full_like(memory, 1e3))
    for one, other in zip(
        run(attention, queries, memory),
        run(attention, queries, noisy),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_hypotheses_are_independent(attention: Attention, queries: torch.Tensor, memory: torch.Tensor) -> None:
    prepared = attention.prepare(memory, MASK)
    state = attention.start(prepared)
    rows = torch.arange(len(queries)).repeat_interleave(queries.shape[1])
    together, _, _ = attention.step(queries, prepared, state.select(rows))
    for k in range(queries.shape[1]):
        alone, _, _ = attention.step(queries[:, k : k + 1], prepared, state)
        torch.testing.assert_close(together[:, k : k + 1], alone)


def test_stepping_equals_the_whole_target(attention: Attention, queries: torch.Tensor, memory: torch.Tensor) -> None:
    whole, weights = run(attention, queries, memory)
    prepared = attention.prepare(memory, MASK)
    state = attention.start(prepared)
    for t in range(queries.shape[1]):
        context, weight, state = attention.step(queries[:, t : t + 1], prepared, state)
        torch.testing.assert_close(whole[:, t : t + 1], context)
        torch.testing.assert_close(weights[:, t : t + 1], weight)


def test_the_weights_depend_on_the_query(attention: Attention, queries: torch.Tensor, memory: torch.Tensor) -> None:
    _, weights = run(attention, queries, memory)
    assert not torch.allclose(weights[0, 0], weights[0, 1])
