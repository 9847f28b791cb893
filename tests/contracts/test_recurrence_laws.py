"""What every recurrence obeys, in one direction and both, flat and deep, with every merge; in float64."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from s2s_lit.nn.merges import ConcatMerge, Merge
from s2s_lit.nn.recurrent import Recurrence
from s2s_lit.types import RecurrentState
from support.parts import concrete_subclasses
from support.saving import saved

RECURRENCES = concrete_subclasses(Recurrence, "s2s_lit.nn")
MERGES = concrete_subclasses(Merge, "s2s_lit.nn")
INPUTS = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(1), dtype=torch.double)
LENGTHS = torch.tensor([4, 6, 1, 2])
NOT_DROPOUT = {"residual", "variational"}
DRAWN_ANEW = {"zoneout", "cell_zoneout"}
"""Regularizers that draw at each position by their nature; all others can draw once for all positions of a pass."""

Make = partial[Recurrence]


def stacks() -> Iterator[tuple[str, bool, Make]]:
    """Name, whether bidirectional, and settings of the stacks that are tried."""
    for recurrence in RECURRENCES:
        make = partial(recurrence, 3, hidden_size=4)
        for layers in (1, 2, 3):
            name, residual = f"{recurrence.__name__}-{layers}", layers == 3
            yield name, False, partial(make, bidirectional=False, num_layers=layers, residual=residual)
        for layers in (1, 3):
            yield f"{recurrence.__name__}-both-{layers}", True, partial(make, bidirectional=True, num_layers=layers)
        for merge in MERGES:
            name, both = f"{recurrence.__name__}-{merge.__name__}-2-residual", partial(make, bidirectional=True)
            yield name, True, partial(both, num_layers=2, residual=True, merge=merge)


STACKS = {name: make for name, _, make in stacks()}
FORWARD = {name: make for name, both, make in stacks() if not both}


@pytest.fixture(params=STACKS, scope="module")
def make(request: pytest.FixtureRequest) -> Make:
    return STACKS[request.param]


@pytest.fixture(params=FORWARD, scope="module")
def make_forward(request: pytest.FixtureRequest) -> Make:
    return FORWARD[request.param]


def made(make: Make) -> Recurrence:
    torch.manual_seed(0)
    return make().double().train()  # training mode; dropout is zero


def assert_same_state(one: RecurrentState, other: RecurrentState) -> None:
    torch.testing.assert_close(one.hidden, other.hidden)
    assert (one.cell is None) == (other.cell is None)
    if one.cell is not None:
        torch.testing.assert_close(one.cell, other.cell)


def random_state(recurrence: Recurrence, rows: int) -> RecurrentState:
    generator = torch.Generator().manual_seed(5)
    shape = (rows, recurrence.num_layers, recurrence.state_size)
    hidden, cell = torch.randn(2, *shape, generator=generator, dtype=torch.double).tanh()
    return RecurrentState(hidden, cell if recurrence.has_cell else None)


def rows_of(state: RecurrentState, rows: slice) -> RecurrentState:
    return RecurrentState(state.hidden[rows], None if state.cell is None else state.cell[rows])


def test_sizes_are_as_stated(make: Make) -> None:
    recurrence = made(make)
    outputs, final = recurrence(INPUTS, lengths=LENGTHS)
    assert outputs.shape == (4, 6, recurrence.output_size)
    assert final.hidden.shape == (4, recurrence.num_layers, recurrence.state_size)
    assert (final.cell is not None) == recurrence.has_cell


def test_padding_changes_nothing(make: Make) -> None:
    recurrence = made(make)
    outputs, final = recurrence(INPUTS, lengths=LENGTHS)
    real = (torch.arange(6) < LENGTHS.unsqueeze(1)).unsqueeze(2)
    other = torch.cat([torch.where(real, INPUTS, torch.nan), torch.full((4, 2, 3), torch.nan)], dim=1)
    other_outputs, other_final = recurrence(other, lengths=LENGTHS)
    torch.testing.assert_close(other_outputs[:, :6], outputs)
    assert_same_state(other_final, final)
    assert (outputs.masked_select(~real) == 0).all()
    assert (other_outputs[:, 6:] == 0).all()


def test_a_batch_equals_its_sequences(make: Make) -> None:
    recurrence = made(make)
    state = random_state(recurrence, 4)
    outputs, final = recurrence(INPUTS, state, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        this = slice(row, row + 1)
        alone, alone_final = recurrence(INPUTS[this, :length], rows_of(state, this))
        torch.testing.assert_close(outputs[this, :length], alone)
        assert_same_state(rows_of(final, this), alone_final)


def test_stepping_equals_the_whole(make_forward: Make) -> None:
    recurrence = made(make_forward)
    outputs, final = recurrence(INPUTS)
    state, steps = None, []
    for position in INPUTS.split(1, dim=1):
        output, state = recurrence(position, state)
        steps.append(output)
    torch.testing.assert_close(torch.cat(steps, dim=1), outputs)
    assert_same_state(state, final)


def test_chunks_with_carried_state_equal_the_whole(make_forward: Make) -> None:
    recurrence = made(make_forward)
    start = random_state(recurrence, 4)
    outputs, final = recurrence(INPUTS, start)
    first, state = recurrence(INPUTS[:, :4], start)
    second, state = recurrence(INPUTS[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), outputs)
    assert_same_state(state, final)


def test_every_parameter_gets_a_gradient(make: Make) -> None:
    recurrence = made(make)
    outputs, _ = recurrence(INPUTS, random_state(recurrence, 4), lengths=LENGTHS)
    (
        outputs * torch.randn(outputs.shape, generator=torch.Generator().manual_seed(2), dtype=torch.double)
    ).sum().backward()
    without = [name for name, p in recurrence.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not without


def test_saving_and_loading_changes_nothing(make: Make) -> None:
    recurrence = made(make)
    other = make().double()
    assert not torch.equal(other(INPUTS)[0], recurrence(INPUTS)[0])
    other.load_state_dict(saved(recurrence.state_dict()))
    assert torch.equal(other(INPUTS)[0], recurrence(INPUTS)[0])


@pytest.mark.parametrize("recurrence", RECURRENCES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_gradients_are_those_of_finite_differences(recurrence: type[Recurrence], bidirectional: bool) -> None:
    torch.manual_seed(0)
    module = recurrence(2, bidirectional, hidden_size=3, num_layers=2, residual=True).double()
    names = [name for name, _ in module.named_parameters()]
    lengths, state = torch.tensor([3, 1]), random_state(module, 2)
    states = [tensor.requires_grad_() for tensor in (state.hidden, state.cell) if tensor is not None]

    def run(inputs: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        parameters = dict(zip(names, rest[len(states) :], strict=True))
        given = (inputs, RecurrentState(*rest[: len(states)]), lengths)
        outputs, final = functional_call(module, parameters, given)
        return tuple(tensor for tensor in (outputs, final.hidden, final.cell) if tensor is not None)

    inputs = torch.randn(2, 3, 2, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(run, (inputs, *states, *module.parameters()), fast_mode=True)


# Regularizers: found by their settings, probabilities that are zero unless stated


def regularized() -> Iterator[tuple[str, str, Make, bool]]:
    """Name, regularizer, recurrence with it, and whether masks are drawn once for a whole pass."""
    for recurrence in RECURRENCES:
        parameters = inspect.signature(recurrence).parameters.values()
        settings = [p.name for p in parameters if p.default == 0.0 and p.name not in NOT_DROPOUT]
        has_cell = recurrence(1, False, hidden_size=1).has_cell
        for setting in settings:
            if setting == "cell_zoneout" and not has_cell:
                continue
            make = partial(recurrence, 3, hidden_size=4, num_layers=2, **{setting: 0.5})
            name = f"{recurrence.__name__}-{setting}"
            once = setting not in DRAWN_ANEW
            yield name, setting, partial(make, **({"variational": True} if setting == "dropout" else {})), once
            if setting == "dropout":
                yield f"{name}-by-position", setting, make, False


REGULARIZED = {name: (setting, make, once) for name, setting, make, once in regularized()}


@pytest.fixture(params=REGULARIZED)
def drawn(request: pytest.FixtureRequest) -> tuple[str, Make, bool]:
    return REGULARIZED[request.param]


def test_each_recurrence_has_every_common_regularizer() -> None:
    for recurrence in RECURRENCES:
        assert {f"{recurrence.__name__}-dropout", f"{recurrence.__name__}-weight_drop"} <= REGULARIZED.keys()


@pytest.mark.parametrize("value", [-0.1, 1.0])
def test_what_is_no_probability_is_refused(drawn: tuple[str, Make, bool], value: float) -> None:
    setting, make, _ = drawn
    with pytest.raises(ValueError, match=rf"^{setting} must be at least 0 and below 1, not {value}"):
        make(bidirectional=False, **{setting: value})


@pytest.mark.parametrize("size", ["num_layers", "hidden_size"])
@pytest.mark.parametrize("recurrence", RECURRENCES, ids=lambda cls: cls.__name__)
def test_a_size_of_nothing_is_refused(recurrence: type[Recurrence], size: str) -> None:
    with pytest.raises(ValueError, match=f"{size} must be at least 1, not 0"):
        recurrence(3, False, **{size: 0})


@pytest.mark.parametrize("bidirectional", [False, True])
def test_seeds_reproduce_what_is_drawn(drawn: tuple[str, Make, bool], bidirectional: bool) -> None:
    recurrence = made(partial(drawn[1], bidirectional=bidirectional))

    def run(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return recurrence(INPUTS, lengths=LENGTHS)[0]

    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1), run(2))


def test_evaluation_is_exact(drawn: tuple[str, Make, bool]) -> None:
    setting, make, _ = drawn
    recurrence, plain = made(partial(make, bidirectional=True)).eval(), made(partial(make, True, **{setting: 0.0}))
    assert recurrence.state_dict().keys() == plain.state_dict().keys()
    outputs, _ = recurrence(INPUTS, lengths=LENGTHS)
    assert torch.equal(outputs, recurrence(INPUTS, lengths=LENGTHS)[0])
    if "zoneout" not in setting:  # which takes the expectation: tests/nn/test_cells.py
        assert torch.equal(outputs, plain(INPUTS, lengths=LENGTHS)[0])


def test_gradients_reach_what_is_dropped_and_nothing_is_changed(drawn: tuple[str, Make, bool]) -> None:
    recurrence = made(partial(drawn[1], bidirectional=True))
    before = {name: value.clone() for name, value in recurrence.state_dict().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outputs, _ = recurrence(INPUTS, lengths=LENGTHS)
        outputs.square().sum().backward()
    assert all(isinstance(p, nn.Parameter) and p.grad is not None for p in recurrence.parameters())
    assert all(torch.equal(value, before[name]) for name, value in recurrence.state_dict().items())


@pytest.mark.parametrize("name", [name for name, (_, _, once) in REGULARIZED.items() if once])
def test_one_draw_holds_for_all_positions(name: str) -> None:
    """Whoever steps in training draws once and sees what the whole pass with that draw sees."""
    make = REGULARIZED[name][1]
    recurrence = made(partial(make, bidirectional=False))
    masks = recurrence.draw(4)
    outputs, _ = recurrence(INPUTS, masks=masks)
    assert not torch.equal(outputs, recurrence(INPUTS, masks=recurrence.draw(4))[0])
    packed, _ = recurrence(INPUTS, lengths=torch.tensor([6, 6, 6, 6]), masks=masks)
    torch.testing.assert_close(packed, outputs)
    shorter, _ = recurrence(INPUTS, lengths=LENGTHS, masks=masks)
    real = torch.arange(6) < LENGTHS.unsqueeze(1)
    torch.testing.assert_close(shorter[real], outputs[real])
    state, steps = None, []
    for position in INPUTS.split(1, dim=1):
        output, state = recurrence(position, state, masks=masks)
        steps.append(output)
    torch.testing.assert_close(torch.cat(steps, dim=1), outputs)


@pytest.mark.parametrize("recurrence", RECURRENCES, ids=lambda cls: cls.__name__)
def test_the_share_of_dropped_weights_and_activations_is_as_stated(recurrence: type[Recurrence]) -> None:
    torch.manual_seed(0)
    layers = recurrence(
        3, True, hidden_size=32, num_layers=2, dropout=0.2, variational=True, weight_drop=0.3, merge=ConcatMerge
    )
    first, second = layers.draw(100)
    assert first.inputs is None, "nothing is dropped below the first layer"
    share = (second.inputs == 0).float().mean()
    torch.testing.assert_close(share, torch.tensor(0.2), atol=0.03, rtol=0)
    assert second.inputs.max() == pytest.approx(1 / 0.8)
    raw = dict(layers.layers[0].named_parameters())
    assert len(first.weights) == 2, "both directions' recurrent weights"
    for name, weight in first.weights.items():
        torch.testing.assert_close((weight == 0).float().mean(), torch.tensor(0.3), atol=0.03, rtol=0)
        torch.testing.assert_close(weight[weight != 0], raw[name][weight != 0] / 0.7)


@pytest.mark.parametrize("recurrence", RECURRENCES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("merge", MERGES, ids=lambda cls: cls.__name__)
def test_a_residual_layer_adds_what_it_read(recurrence: type[Recurrence], merge: type[Merge]) -> None:
    """Two layers are one on top of another, and the upper's output is added to what the lower has merged."""
    torch.manual_seed(0)
    two = recurrence(3, True, hidden_size=4, num_layers=2, residual=True, merge=merge).double()
    outputs: Tensor = INPUTS
    for index in range(2):
        one = recurrence(outputs.shape[-1], True, hidden_size=4, merge=merge).double()
        one.layers[0].load_state_dict(two.layers[index].state_dict())
        one.merges[0].load_state_dict(two.merges[index].state_dict())
        above, _ = one(outputs, lengths=LENGTHS)
        outputs = above + outputs if index else above
    torch.testing.assert_close(two(INPUTS, lengths=LENGTHS)[0], outputs)
