"""Laws of every penalty; they are found in the package, so that a new one cannot miss them."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import Tensor

from s2s_lit.losses.penalty import Penalty
from s2s_lit.types import ModelOutput
from support.outputs import batch_of_lengths, output_of
from support.parts import concrete_subclasses

PENALTIES = concrete_subclasses(Penalty, "s2s_lit.losses")
LENGTHS = (4, 1, 3)
BATCH = batch_of_lengths(torch.tensor(LENGTHS), 4)
MASK = BATCH.target.mask


@pytest.fixture(params=PENALTIES, ids=lambda cls: cls.__name__)
def kind(request: pytest.FixtureRequest) -> type[Penalty]:
    return request.param


def tensors() -> list[Tensor]:
    """Features, hidden states and weights over six source positions, of three targets."""
    generator = torch.Generator().manual_seed(0)
    features, hidden, scores = (torch.randn(3, 4, n, generator=generator, dtype=torch.double) for n in (2, 5, 6))
    return [features, hidden, scores.softmax(dim=-1)]


def output(features: Tensor, hidden: Tensor, weights: Tensor) -> ModelOutput:
    return output_of(features=features, hidden=hidden, weights=weights)


def test_options_are_keywords_with_defaults_and_documented(kind: type[Penalty]) -> None:
    described = inspect.getdoc(kind).partition("Args:")[2]
    assert "weight" in inspect.signature(kind).parameters
    for option in inspect.signature(kind).parameters.values():
        assert option.kind is option.KEYWORD_ONLY
        assert option.default is not option.empty
        assert f"{option.name}:" in described


def test_names_tell_them_apart() -> None:
    """And from what else is logged of a training step."""
    names = [kind.name for kind in PENALTIES]
    taken = ["loss", "learning_rate", "gradient_norm", "tokens_per_second"]
    assert len({*names, *taken}) == len(names) + len(taken)


def test_padding_counts_nothing_and_gets_no_gradient(kind: type[Penalty]) -> None:
    padded = [tensor.masked_fill(~MASK.unsqueeze(2), torch.nan).requires_grad_() for tensor in tensors()]
    value = kind()(output(*padded), BATCH)
    torch.testing.assert_close(value, kind()(output(*tensors()), BATCH))
    value.backward()
    gradients = [tensor.grad for tensor in padded if tensor.grad is not None]
    assert any(gradient.abs().sum() > 0 for gradient in gradients)
    assert all((gradient[~MASK] == 0).all() for gradient in gradients)


def test_a_batch_is_the_sum_of_its_sentences(kind: type[Penalty]) -> None:
    alone = sum(
        kind()(output(*(tensor[b : b + 1, :n] for tensor in tensors())), batch_of_lengths(torch.tensor([n]), n))
        for b, n in enumerate(LENGTHS)
    )
    torch.testing.assert_close(kind()(output(*tensors()), BATCH), alone)


def test_gradients_agree_with_differences(kind: type[Penalty]) -> None:
    given = [tensor.requires_grad_() for tensor in tensors()]
    assert torch.autograd.gradcheck(lambda *parts: kind()(output(*parts), BATCH), given)


def test_the_weight_is_a_factor(kind: type[Penalty]) -> None:
    one, other = (kind(weight=weight)(output(*tensors()), BATCH) for weight in (1.0, 0.3))
    assert one > 0
    torch.testing.assert_close(other, 0.3 * one)
