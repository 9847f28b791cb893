"""RNN, LSTM and GRU against torch's own layers of the same weights, stacked and in both directions."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from s2s_lit.nn.recurrent import GRU, LSTM, RNN, StackedRecurrence

TORCH = {RNN: nn.RNN, LSTM: nn.LSTM, GRU: nn.GRU}
INPUTS = torch.randn(3, 6, 3, generator=torch.Generator().manual_seed(1))
LENGTHS = torch.tensor([6, 2, 4])


@pytest.fixture(params=TORCH, ids=lambda cls: cls.__name__)
def kind(request: pytest.FixtureRequest) -> type[StackedRecurrence]:
    return request.param


def pair(kind: type[StackedRecurrence], bidirectional: bool, layers: int) -> tuple[StackedRecurrence, nn.RNNBase]:
    """Ours and torch's, made of the same seed: the numbers of initialization are drawn in the same order."""
    torch.manual_seed(0)
    ours = kind(3, bidirectional, hidden_size=4, num_layers=layers)
    torch.manual_seed(0)
    return ours, TORCH[kind](3, 4, num_layers=layers, bidirectional=bidirectional, batch_first=True)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_stack_is_as_torch_has_it(kind: type[StackedRecurrence], bidirectional: bool, layers: int) -> None:
    ours, reference = pair(kind, bidirectional, layers)
    outputs, final = ours(INPUTS, lengths=LENGTHS)
    assert final.hidden.shape == (3, layers, ours.state_size)
    for row, length in enumerate(LENGTHS.tolist()):
        alone, state = reference(INPUTS[row : row + 1, :length])
        hidden = state[0] if ours.has_cell else state  # [L * directions, 1, H]
        torch.testing.assert_close(outputs[row, :length], alone[0])
        assert (outputs[row, length:] == 0).all()
        torch.testing.assert_close(final.hidden[row], hidden.view(layers, -1))
        if ours.has_cell:
            torch.testing.assert_close(final.cell[row], state[1].view(layers, -1))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_one_layer_is_bit_for_bit_that_of_torch(kind: type[StackedRecurrence], bidirectional: bool) -> None:
    ours, reference = pair(kind, bidirectional, 1)
    for mine, theirs in zip(ours.parameters(), reference.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert torch.equal(ours(INPUTS)[0], reference(INPUTS)[0])
    packed = nn.utils.rnn.pack_padded_sequence(INPUTS, LENGTHS, batch_first=True, enforce_sorted=False)
    theirs, _ = nn.utils.rnn.pad_packed_sequence(reference(packed)[0], batch_first=True)
    assert torch.equal(ours(INPUTS, lengths=LENGTHS)[0], theirs)


def test_rectified_units_are_as_torch_has_them() -> None:
    torch.manual_seed(0)
    ours = RNN(3, False, hidden_size=4, nonlinearity="relu")
    torch.manual_seed(0)
    reference = nn.RNN(3, 4, nonlinearity="relu", batch_first=True)
    assert torch.equal(ours(INPUTS)[0], reference(INPUTS)[0])
    assert (ours(INPUTS)[0] >= 0).all()


def test_dropout_acts_between_layers_only(kind: type[StackedRecurrence]) -> None:
    one, two = kind(3, False, dropout=0.5), kind(3, False, dropout=0.5, num_layers=2)
    assert torch.equal(one(INPUTS)[0], one(INPUTS)[0])
    assert not torch.equal(two(INPUTS)[0], two(INPUTS)[0])
