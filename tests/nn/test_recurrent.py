"""RNN, LSTM and GRU against torch's own layers, and their states' layout."""

from __future__ import annotations

import pytest
import torch

from s2s_lit.nn.recurrent import TorchRecurrence
from support.networks import RECURRENCES


@pytest.fixture(params=RECURRENCES, ids=lambda cls: cls.__name__)
def recurrence(request: pytest.FixtureRequest) -> TorchRecurrence:
    torch.manual_seed(0)
    return request.param(3, True, hidden_size=4, num_layers=2)


INPUTS = torch.randn(3, 6, 3, generator=torch.Generator().manual_seed(1))
LENGTHS = torch.tensor([6, 2, 4])


def test_each_sequence_is_as_torch_has_it_alone(recurrence: TorchRecurrence) -> None:
    outputs, final = recurrence(INPUTS, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        alone, state = recurrence.layers(INPUTS[row : row + 1, :length])
        hidden = state[0] if recurrence.has_cell else state
        torch.testing.assert_close(outputs[row, :length], alone[0])
        assert (outputs[row, length:] == 0).all()
        top = torch.cat([hidden[-2, 0], hidden[-1, 0]])  # torch: the last layer's forward, then backward direction
        torch.testing.assert_close(final.hidden[row, -1], top)


def test_a_state_given_back_is_the_state_taken(recurrence: TorchRecurrence) -> None:
    _, final = recurrence(INPUTS)
    again = recurrence._from_torch(recurrence._to_torch(final))
    assert torch.equal(again.hidden, final.hidden)
    assert final.cell is None or torch.equal(again.cell, final.cell)
    assert final.hidden.shape == (3, 2, recurrence.state_size)


def test_dropout_acts_between_layers_only() -> None:
    one, two = RECURRENCES[0](3, False, dropout=0.5), RECURRENCES[0](3, False, dropout=0.5, num_layers=2)
    assert torch.equal(one(INPUTS)[0], one(INPUTS)[0])
    assert not torch.equal(two(INPUTS)[0], two(INPUTS)[0])
