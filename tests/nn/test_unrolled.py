"""Recurrences advanced position by position agree with themselves, gradients included."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from s2s_lit.nn.deferred_linear import DeferredLinear
from s2s_lit.nn.recurrent import Recurrence
from s2s_lit.nn.unrolled import unroll
from support.networks import RECURRENCES

INPUTS = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture(params=RECURRENCES, ids=lambda cls: cls.__name__)
def recurrence(request: pytest.FixtureRequest) -> Recurrence:
    torch.manual_seed(0)
    return request.param(4, False, hidden_size=3, num_layers=3, residual=True).double()


def gradients(recurrence: Recurrence, outputs: Tensor, inputs: Tensor) -> list[Tensor]:
    weighted = (outputs * torch.linspace(-1, 1, outputs.numel(), dtype=outputs.dtype).view_as(outputs)).sum()
    return list(torch.autograd.grad(weighted, [inputs, *recurrence.parameters()], retain_graph=True))


@pytest.mark.parametrize("known_size", [0, 1, 4])
def test_it_agrees_with_the_whole_sequence(recurrence: Recurrence, known_size: int) -> None:
    inputs = INPUTS.clone().requires_grad_()
    _, state = recurrence(inputs[:, :1].detach())
    whole, final = recurrence(inputs, state)
    known, late = inputs[..., :known_size], inputs[..., known_size:]
    run, carried, outputs = unroll(recurrence, known), state, []
    for t in range(5):
        output, carried = run.step(t, late[:, t], carried)
        outputs.append(output)
    stepped = torch.stack(outputs, dim=1)
    torch.testing.assert_close(stepped, whole)
    torch.testing.assert_close(carried.hidden, final.hidden)
    assert carried.cell is final.cell is None or torch.allclose(carried.cell, final.cell)
    for one, other in zip(gradients(recurrence, stepped, inputs), gradients(recurrence, whole, inputs), strict=True):
        torch.testing.assert_close(one, other)


def two_steps(recurrence: Recurrence) -> tuple[Tensor, Tensor]:
    """The outputs at two positions of the same input and state, with what is dropped drawn from a seed."""
    torch.manual_seed(5)
    _, start = recurrence(INPUTS)
    run = unroll(recurrence, INPUTS[:, :1].expand(-1, 2, -1))
    first, second = (run.step(t, INPUTS[:, 0, :0], start)[0] for t in range(2))
    return first, second


SETTINGS = {
    "dropout": ({"dropout": 0.5}, False),
    "variational": ({"dropout": 0.5, "variational": True}, True),
    "weight_drop": ({"weight_drop": 0.5}, True),
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("kind", RECURRENCES, ids=lambda cls: cls.__name__)
def test_what_is_dropped_changes_with_the_position_or_not_at_all(kind: type[Recurrence], name: str) -> None:
    settings, same = SETTINGS[name]
    torch.manual_seed(0)
    recurrence = kind(4, False, hidden_size=16, num_layers=2, **settings).double()
    first, second = two_steps(recurrence)
    assert torch.allclose(first, second) is same
    assert torch.equal(two_steps(recurrence)[0], first)
    assert not torch.allclose(two_steps(recurrence.eval())[0], first)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("kind", RECURRENCES, ids=lambda cls: cls.__name__)
def test_with_what_is_dropped_it_agrees_with_the_whole_sequence(kind: type[Recurrence], name: str) -> None:
    """What is dropped at each position is drawn in another order than by the whole, but of a single position."""
    settings, same = SETTINGS[name]
    torch.manual_seed(0)
    recurrence = kind(4, False, hidden_size=3, num_layers=3, residual=True, **settings).double()
    inputs = INPUTS[:, : 5 if same else 1].clone().requires_grad_()
    _, carried = recurrence.eval()(INPUTS)
    torch.manual_seed(5)
    whole, _ = recurrence.train()(inputs, carried)
    torch.manual_seed(5)
    run, outputs = unroll(recurrence, inputs[..., :1]), []
    for t in range(inputs.shape[1]):
        output, carried = run.step(t, inputs[:, t, 1:], carried)
        outputs.append(output)
    stepped = torch.stack(outputs, dim=1)
    torch.testing.assert_close(stepped, whole)
    for one, other in zip(gradients(recurrence, stepped, inputs), gradients(recurrence, whole, inputs), strict=True):
        torch.testing.assert_close(one, other)


def test_a_late_products_gradients_agree_with_differences() -> None:
    """The weights are constants inside the loop, so that nothing but one product makes their gradients."""
    torch.manual_seed(0)
    base, weight, other, start = (
        torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((3, 2, 4), (4, 4), (4, 1), (2, 4))
    )

    def run(base: Tensor, weight: Tensor, other: Tensor, start: Tensor) -> Tensor:
        layer, result = DeferredLinear(base, weight, other), start
        for t in range(3):
            result = torch.tanh(layer(t, result, result[:, :1]))
        return result

    assert torch.autograd.gradcheck(run, (base, weight, other, start))


def test_frozen_weights_let_gradients_through_and_get_none() -> None:
    torch.manual_seed(0)
    base, start = (torch.randn(shape, requires_grad=True) for shape in ((3, 2, 4), (2, 4)))
    frozen = [torch.randn(4, 4), torch.randn(4, 1)]

    def gradients(weights: list[Tensor]) -> tuple[Tensor, ...]:
        layer, result = DeferredLinear(base, *weights), start
        for t in range(3):
            result = torch.tanh(layer(t, result, result[:, :1]))
        return torch.autograd.grad(result.sum(), (base, start))

    expected = gradients([weight.clone().requires_grad_() for weight in frozen])
    for weights in (frozen, [frozen[0], frozen[1].clone().requires_grad_()]):
        assert all(torch.equal(one, two) for one, two in zip(gradients(weights), expected, strict=True))
