"""What every attention obeys."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from s2s_lit.nn.attention.base import Attention
from support.parts import concrete_subclasses
from support.saving import saved

ATTENTIONS = concrete_subclasses(Attention, "s2s_lit.nn.attention")
QUERY, MEMORY = 6, 4
MASK = torch.arange(7) < torch.tensor([7, 3, 1]).unsqueeze(1)


def make(kind: type[Attention]) -> Attention:
    """One for unlike sizes or, where it refuses them, for equal ones."""
    torch.manual_seed(0)
    try:
        return kind(QUERY, MEMORY)
    except ValueError:
        return kind(QUERY, QUERY)


@pytest.fixture(params=ATTENTIONS, ids=lambda cls: cls.__name__)
def attention(request: pytest.FixtureRequest) -> Attention:
    return make(request.param)


@pytest.fixture
def queries() -> Tensor:
    return torch.randn(3, 5, QUERY, generator=torch.Generator().manual_seed(1), requires_grad=True)


@pytest.fixture
def encoded(attention: Attention) -> Tensor:
    return torch.randn(3, 7, attention.encoder_size, generator=torch.Generator().manual_seed(2))


def run(attention: Attention, queries: Tensor, encoded: Tensor, mask: Tensor = MASK) -> tuple[Tensor, Tensor]:
    """Contexts and weights of a whole target."""
    prepared = attention.prepare(encoded, mask)
    contexts, weights, _ = attention(queries, prepared, attention.start(prepared))
    return contexts, weights


def test_weights_are_a_distribution_over_real_positions(attention: Attention, queries: Tensor, encoded: Tensor) -> None:
    contexts, weights = run(attention, queries, encoded)
    assert contexts.shape == (3, 5, attention.context_size)
    assert (weights >= 0).all()
    assert (weights.masked_select(~MASK.unsqueeze(1)) == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 5))


def test_padding_changes_nothing(attention: Attention, queries: Tensor, encoded: Tensor) -> None:
    noisy = torch.where(MASK.unsqueeze(-1), encoded, torch.full_like(encoded, 1e3))
    results = []
    for given in (encoded, noisy):
        contexts, weights = run(attention, queries, given)
        torch.manual_seed(3)
        (contexts * torch.randn_like(contexts)).sum().backward()
        gradients = [tensor.grad for tensor in (queries, *attention.parameters())]
        queries.grad = None
        attention.zero_grad()
        results.append([contexts, weights, *gradients])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)


def test_a_batch_equals_its_sentences(attention: Attention, queries: Tensor, encoded: Tensor) -> None:
    contexts, weights = run(attention, queries, encoded)
    for row, length in enumerate(MASK.sum(dim=1).tolist()):
        one = slice(row, row + 1)
        alone, alone_weights = run(attention, queries[one], encoded[one, :length], MASK[one, :length])
        torch.testing.assert_close(contexts[one], alone)
        torch.testing.assert_close(weights[one, :, :length], alone_weights)


def test_hypotheses_are_independent(attention: Attention, queries: Tensor, encoded: Tensor) -> None:
    """Of each sentence K hypotheses with pasts of their own, all together and each alone."""
    prepared = attention.prepare(encoded, MASK)
    states = [attention.start(prepared)] * 3
    together = attention.start(prepared).select(torch.arange(3).repeat_interleave(3))
    for t in range(3):
        asked = queries[:, t : t + 3]
        contexts, weights, together = attention.step(asked, prepared, together)
        for k in range(3):
            alone, alone_weights, states[k] = attention.step(asked[:, k : k + 1], prepared, states[k])
            torch.testing.assert_close(contexts[:, k : k + 1], alone)
            torch.testing.assert_close(weights[:, k : k + 1], alone_weights)
        assert all(len(tensor) == 9 for tensor in together.values())


def test_stepping_equals_the_whole_target(attention: Attention, queries: Tensor, encoded: Tensor) -> None:
    prepared = attention.prepare(encoded, MASK)
    whole, weights, final = attention(queries, prepared, attention.start(prepared))
    state = attention.start(prepared)
    for t in range(queries.shape[1]):
        context, weight, state = attention.step(queries[:, t : t + 1], prepared, state)
        torch.testing.assert_close(whole[:, t : t + 1], context)
        torch.testing.assert_close(weights[:, t : t + 1], weight)
    assert state.keys() == final.keys()
    for name, tensor in state.items():
        torch.testing.assert_close(tensor, final[name])


def test_windows_with_carried_state_equal_the_whole_target(
    attention: Attention, queries: Tensor, encoded: Tensor
) -> None:
    whole, _ = run(attention, queries, encoded)
    prepared = attention.prepare(encoded, MASK)
    first, _, state = attention(queries[:, :2], prepared, attention.start(prepared))
    second, _, _ = attention(queries[:, 2:], prepared, state.detach())
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)


def test_what_a_decoder_carries_is_left_alone(attention: Attention, queries: Tensor, encoded: Tensor) -> None:
    prepared = attention.prepare(encoded, MASK)
    hidden = torch.zeros(3, 1, 2)
    state = attention.start(prepared).updated(hidden=hidden)
    for ask in (attention, attention.step):
        _, _, after = ask(queries[:, :1], prepared, state)
        assert after["hidden"] is hidden
        assert after.keys() == state.keys()


def test_the_weights_depend_on_the_query(attention: Attention, queries: Tensor, encoded: Tensor) -> None:
    prepared = attention.prepare(encoded, MASK)
    start = attention.start(prepared)
    _, weights, _ = attention.step(queries[:, :1], prepared, start)
    _, others, _ = attention.step(queries[:, 1:2], prepared, start)
    assert not torch.allclose(weights[0], others[0])


def test_every_parameter_gets_a_gradient(attention: Attention, queries: Tensor, encoded: Tensor) -> None:
    contexts, _ = run(attention, queries, encoded)
    (contexts * torch.randn_like(contexts)).sum().backward()
    assert not [name for name, p in attention.named_parameters() if p.grad is None or not p.grad.abs().sum() > 1e-6]


def test_gradients_agree_with_differences(attention: Attention, queries: Tensor, encoded: Tensor) -> None:
    attention.double()
    parameters = list(attention.parameters())  # gradcheck moves them in place
    inputs = [queries.double()[:, :3], encoded.double().requires_grad_(), *parameters]
    assert torch.autograd.gradcheck(lambda q, m, *_: run(attention, q, m), inputs, fast_mode=True)


def test_saving_and_loading_changes_nothing(attention: Attention, queries: Tensor, encoded: Tensor) -> None:
    other = make(type(attention))
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1)
    other.load_state_dict(saved(attention.state_dict()))
    for one, two in zip(run(attention, queries, encoded), run(other, queries, encoded), strict=True):
        assert torch.equal(one, two)


def test_sixteen_bits_are_enough_for_products(attention: Attention, queries: Tensor, encoded: Tensor) -> None:
    """Under autocast the weights are still made in float32, and near those of a pass without it."""
    contexts, weights = run(attention, queries, encoded)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough, rough_weights = run(attention, queries, encoded)
        rough.float().sum().backward()
    assert rough_weights.dtype == torch.float32
    torch.testing.assert_close(rough_weights.sum(-1), torch.ones(3, 5))
    torch.testing.assert_close(rough_weights, weights, atol=0.05, rtol=0)
    torch.testing.assert_close(rough.float(), contexts, atol=0.1, rtol=0.1)
