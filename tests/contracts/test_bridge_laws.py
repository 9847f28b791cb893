"""What every bridge obeys, between encoders and decoders of any cell, depth and width that it accepts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from s2s_lit.nn.bridges import Bridge, LastStateBridge, MeanBridge, ProjectedBridge, ZeroBridge
from s2s_lit.nn.encoders.base import Encoder
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.recurrent import GRU, LSTM, RNN, Recurrence
from s2s_lit.types import RecurrentState
from support.parts import concrete_subclasses
from support.saving import saved

BRIDGES = concrete_subclasses(Bridge, "s2s_lit.nn")
INPUTS = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(1))
LENGTHS = torch.tensor([5, 1, 3])


def encoder_of(kind: type[Recurrence], bidirectional: bool, layers: int, size: int) -> RecurrentEncoder:
    return RecurrentEncoder(
        4, recurrence=lambda e, both: kind(e, both, hidden_size=size, num_layers=layers), bidirectional=bidirectional
    )


def pairs() -> Iterator[tuple[str, type[Bridge], Encoder, Recurrence]]:
    """Each bridge between encoders and decoders of equal and of different kinds; some accept equal ones only."""
    torch.manual_seed(0)
    for bridge, (source, target), both in itertools.product(
        BRIDGES, [(LSTM, LSTM), (GRU, GRU), (LSTM, GRU), (GRU, LSTM), (RNN, RNN)], [False, True]
    ):
        name = f"{bridge.__name__}-{source.__name__}-{target.__name__}-{'bi' if both else 'uni'}"
        if not (bridge is LastStateBridge and (source, target) == (GRU, LSTM)):
            size = 12 if both else 6
            yield (
                f"{name}-equal",
                bridge,
                encoder_of(source, both, 2, 6),
                target(4, False, hidden_size=size, num_layers=2),
            )
        if bridge is not LastStateBridge:
            yield f"{name}-other", bridge, encoder_of(source, both, 1, 5), target(4, False, hidden_size=7, num_layers=3)


PAIRS = {name: rest for name, *rest in pairs()}


@pytest.fixture(params=PAIRS)
def case(request: pytest.FixtureRequest) -> tuple[Encoder, Recurrence, Bridge]:
    bridge, encoder, recurrence = PAIRS[request.param]
    torch.manual_seed(0)
    return encoder, recurrence, bridge(encoder, recurrence)


def tensors(state: RecurrentState) -> list[torch.Tensor]:
    return [tensor for tensor in (state.hidden, state.cell) if tensor is not None]


def test_the_state_is_one_that_the_decoder_takes(case: tuple[Encoder, Recurrence, Bridge]) -> None:
    encoder, recurrence, bridge = case
    state = bridge(encoder(INPUTS, LENGTHS))
    assert state.hidden.shape == (3, recurrence.num_layers, recurrence.state_size)
    assert (state.cell is not None) == recurrence.has_cell
    outputs, _ = recurrence(INPUTS, state)
    assert outputs.shape == (3, 5, recurrence.output_size)


def test_a_batch_equals_its_sentences_and_padding_changes_nothing(case: tuple[Encoder, Recurrence, Bridge]) -> None:
    encoder, _, bridge = case
    padded = torch.cat([INPUTS, torch.full((3, 2, 4), torch.nan)], dim=1)
    encoder_output = encoder(padded, LENGTHS)  # an encoder that normalizes its outputs leaves something at padding
    encoded = encoder_output.outputs.masked_fill(~encoder_output.mask.unsqueeze(2), torch.nan)
    together = tensors(bridge(replace(encoder_output, outputs=encoded)))
    for row, length in enumerate(LENGTHS.tolist()):
        alone = tensors(bridge(encoder(INPUTS[row : row + 1, :length], LENGTHS[row : row + 1])))
        for one, other in zip(together, alone, strict=True):
            torch.testing.assert_close(one[row : row + 1], other, atol=1e-5, rtol=1e-5)


def test_gradients_reach_its_parameters_and_the_encoder(case: tuple[Encoder, Recurrence, Bridge]) -> None:
    encoder, recurrence, bridge = case
    outputs, _ = recurrence(INPUTS, bridge(encoder(INPUTS, LENGTHS)))
    encoder.zero_grad()
    outputs.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in bridge.parameters())
    reached = [p.grad is not None and bool(p.grad.abs().sum() > 0) for p in encoder.parameters()]
    assert any(reached) != isinstance(bridge, ZeroBridge), "nothing is told of the source by zeros, something by others"


def test_saving_and_loading_changes_nothing(case: tuple[Encoder, Recurrence, Bridge]) -> None:
    encoder, recurrence, bridge = case
    other = type(bridge)(encoder, recurrence)
    other.load_state_dict(saved(bridge.state_dict()))
    encoder_output = encoder(INPUTS, LENGTHS)
    for one, two in zip(tensors(bridge(encoder_output)), tensors(other(encoder_output)), strict=True):
        assert torch.equal(one, two)


def test_values_are_those_of_the_equations() -> None:
    torch.manual_seed(0)
    encoder, recurrence = encoder_of(LSTM, True, 2, 6), LSTM(4, False, hidden_size=12, num_layers=2)
    encoder_output = encoder(INPUTS, LENGTHS)
    last = LastStateBridge(encoder, recurrence)(encoder_output)
    assert torch.equal(last.hidden, encoder_output.final.hidden)
    assert torch.equal(last.cell, encoder_output.final.cell)
    assert all((tensor == 0).all() for tensor in tensors(ZeroBridge(encoder, recurrence)(encoder_output)))
    for bridge, summary in (
        (ProjectedBridge(encoder, recurrence), lambda row, length: encoder_output.final.hidden[row, -1]),
        (MeanBridge(encoder, recurrence), lambda row, length: encoder_output.outputs[row, :length].mean(dim=0)),
    ):
        state = bridge(encoder_output)
        for row, length in enumerate(LENGTHS.tolist()):
            expected = torch.tanh(bridge.layer(summary(row, length)))  # hidden of both layers, then cells
            torch.testing.assert_close(torch.cat([state.hidden[row].flatten(), state.cell[row].flatten()]), expected)


@pytest.mark.parametrize(
    ("encoder", "recurrence"),
    [
        (encoder_of(LSTM, True, 1, 6), LSTM(4, False, hidden_size=6)),
        (encoder_of(LSTM, False, 1, 6), LSTM(4, False, hidden_size=6, num_layers=2)),
        (encoder_of(GRU, False, 1, 6), LSTM(4, False, hidden_size=6)),
    ],
    ids=["width", "depth", "cell"],
)
def test_a_last_state_that_does_not_fit_is_refused_with_the_remedy(encoder: Encoder, recurrence: Recurrence) -> None:
    with pytest.raises(ValueError, match=r"1 x (6|12)( with a cell)?: give both .* or take ProjectedBridge"):
        LastStateBridge(encoder, recurrence)
