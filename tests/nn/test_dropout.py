"""Dropout by position and by sequence, alone and of an encoder's outputs."""

from __future__ import annotations

import pytest
import torch

from s2s_lit.nn.dropout import SequenceDropout
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder

ONES = torch.ones(200, 7, 50)


@pytest.mark.parametrize("variational", [False, True])
def test_the_rate_is_right_and_the_mean_is_kept(variational: bool) -> None:
    torch.manual_seed(0)
    dropped = SequenceDropout(0.3, variational=variational)(ONES)
    torch.testing.assert_close((dropped == 0).float().mean(), torch.tensor(0.3), atol=0.02, rtol=0)
    torch.testing.assert_close(dropped.mean(), torch.tensor(1.0), atol=0.02, rtol=0)


def test_a_variational_mask_is_the_same_at_all_positions_and_differs_between_sequences() -> None:
    torch.manual_seed(0)
    dropped = SequenceDropout(0.5, variational=True)(ONES)
    assert (dropped == dropped[:, :1]).all()
    assert not torch.equal(dropped[0], dropped[1])
    standard = SequenceDropout(0.5)(ONES)
    assert not torch.equal(standard[:, 0], standard[:, 1])


@pytest.mark.parametrize("variational", [False, True])
def test_masks_are_what_the_module_applies(variational: bool) -> None:
    dropout = SequenceDropout(0.5, variational=variational)
    inputs = torch.randn(3, 4, 5)
    torch.manual_seed(1)
    whole = dropout(inputs)
    torch.manual_seed(1)
    masks = dropout.masks(inputs)
    torch.testing.assert_close(torch.stack([inputs[:, t] * masks[:, t] for t in range(4)], dim=1), whole)


def test_standard_dropout_draws_the_same_numbers_as_torch() -> None:
    inputs = torch.randn(3, 4, 5)
    torch.manual_seed(1)
    ours = SequenceDropout(0.5)(inputs)
    torch.manual_seed(1)
    assert torch.equal(ours, torch.nn.Dropout(0.5)(inputs))


@pytest.mark.parametrize("variational", [False, True])
def test_evaluation_drops_nothing(variational: bool) -> None:
    dropout = SequenceDropout(0.5, variational=variational).eval()
    assert torch.equal(dropout(ONES), ONES)
    assert torch.equal(dropout.masks(ONES), ONES)


def test_a_step_is_one_position_of_each_row() -> None:
    torch.manual_seed(0)
    dropped = SequenceDropout(0.5, variational=True)(torch.ones(6, 50))
    assert len({tuple(row.tolist()) for row in dropped}) == 6


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_what_is_no_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=f"dropout must be at least 0 and below 1, not {rate}"):
        SequenceDropout(rate)


@pytest.mark.parametrize("variational", [False, True])
def test_an_encoder_drops_its_memory_and_not_its_last_state(variational: bool) -> None:
    torch.manual_seed(0)
    encoder = RecurrentEncoder(4, dropout=0.5, variational=variational)
    given = torch.randn(2, 6, 4), torch.tensor([6, 6])
    output, whole = encoder(*given), encoder.eval()(*given)
    dropped = output.outputs == 0
    torch.testing.assert_close(dropped.float().mean(), torch.tensor(0.5), atol=0.1, rtol=0)
    assert (dropped == dropped[:, :1]).all().item() is variational
    torch.testing.assert_close(output.outputs, 2 * whole.outputs * ~dropped)
    torch.testing.assert_close(output.final.hidden, whole.final.hidden)
