"""Laws of every weight averaging; they are found in the package, so that a new one cannot miss them."""

from __future__ import annotations

import copy
import inspect

import pytest
import torch

from s2s_lit.optim.averaging import WeightAveraging, Weights
from support.parts import concrete_subclasses

AVERAGINGS = concrete_subclasses(WeightAveraging, "s2s_lit.optim")
TOTAL, EVERY = 40, 4  # steps, and steps between validations


@pytest.fixture(params=AVERAGINGS, ids=lambda cls: cls.__name__)
def kind(request: pytest.FixtureRequest) -> type[WeightAveraging]:
    return request.param


def path(steps: int = TOTAL, seed: int = 0) -> list[Weights]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {"matrix": (3, 2), "bias": (2,), "scalar": ()}
    return [{name: torch.randn(shape, generator=generator) for name, shape in shapes.items()} for _ in range(steps)]


def follow(averaging: WeightAveraging, steps: list[Weights], first: int = 1) -> WeightAveraging:
    """As a training does: one tensor, changed in place, and a validation now and then."""
    live = {name: value.clone() for name, value in steps[0].items()}
    for number, weights in enumerate(steps, first):
        for name, value in weights.items():
            live[name].copy_(value)
        averaging.after_step(live)
        if number % EVERY == 0:
            averaging.before_validation(live)
    for value in live.values():
        value.fill_(float("nan"))
    return averaging


def same(ours: Weights, theirs: Weights) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_options_are_keywords_with_defaults_and_documented(kind: type[WeightAveraging]) -> None:
    total, *options = inspect.signature(kind).parameters.values()
    assert total.name == "total_steps"
    described = inspect.getdoc(kind).partition("Args:")[2]
    for option in options:
        assert option.kind is option.KEYWORD_ONLY
        assert option.default is not option.empty
        assert f"{option.name}:" in described


def test_at_first_there_is_no_mean(kind: type[WeightAveraging]) -> None:
    assert kind(TOTAL).mean() == {}


def test_the_mean_lies_among_the_weights(kind: type[WeightAveraging]) -> None:
    steps = path()
    mean = follow(kind(TOTAL), steps).mean()
    assert mean.keys() == steps[0].keys()
    for name, value in mean.items():
        values = torch.stack([weights[name] for weights in steps])
        assert ((values.amin(0) <= value) & (value <= values.amax(0))).all()
        assert not torch.equal(value, values[-1])


def test_the_mean_of_equal_weights_is_they(kind: type[WeightAveraging]) -> None:
    steps = path(1) * TOTAL
    mean = follow(kind(TOTAL), steps).mean()
    for name, value in mean.items():
        torch.testing.assert_close(value, steps[0][name])


@pytest.mark.parametrize("cut", [1, 14, 34, 39])
def test_from_a_state_it_goes_on_as_if_it_had_not_stopped(kind: type[WeightAveraging], cut: int) -> None:
    steps = path()
    before, after = follow(kind(TOTAL), steps[:cut]), kind(TOTAL)
    after.load_state_dict(copy.deepcopy(before.state_dict()))
    assert same(after.mean(), before.mean())
    assert same(follow(after, steps[cut:], first=cut + 1).mean(), follow(kind(TOTAL), steps).mean())
