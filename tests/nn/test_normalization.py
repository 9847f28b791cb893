"""What every normalization obeys, and what batch normalization over real positions is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.normalization import BatchNorm, Normalization
from support.parts import concrete_subclasses
from support.saving import saved

NORMALIZATIONS = concrete_subclasses(Normalization, "s2s_lit.nn")
DEPENDENT_IN_TRAINING = {BatchNorm}
"""By nature a sentence's values depend on the other sentences of its batch while it is trained."""
LENGTHS = torch.tensor([6, 2, 4])
MASK = torch.arange(6) < LENGTHS.unsqueeze(1)
INPUTS = 3 + 2 * torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(1))


@pytest.fixture(params=NORMALIZATIONS, ids=lambda cls: cls.__name__)
def cls(request: pytest.FixtureRequest) -> type[Normalization]:
    return request.param


@pytest.mark.parametrize("training", [True, False])
def test_padding_changes_nothing(cls: type[Normalization], training: bool) -> None:
    one, other = cls(5).train(training), cls(5).train(training)
    garbage = torch.cat([INPUTS.masked_fill(~MASK.unsqueeze(2), torch.nan), torch.full((3, 2, 5), torch.nan)], dim=1)
    wider = torch.cat([MASK, torch.zeros(3, 2, dtype=torch.bool)], dim=1)
    for _ in range(2):
        torch.testing.assert_close(other(garbage, wider)[wider], one(INPUTS, MASK)[MASK])
    for name, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value)


def test_a_batch_equals_its_sentences(cls: type[Normalization]) -> None:
    normalization = cls(5)
    normalization(INPUTS, MASK)
    normalization.train(cls not in DEPENDENT_IN_TRAINING)
    together = normalization(INPUTS, MASK)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = normalization(INPUTS[row : row + 1, :length], MASK[row : row + 1, :length])
        torch.testing.assert_close(together[row, :length], alone[0])


def test_every_parameter_gets_a_gradient(cls: type[Normalization]) -> None:
    normalization = cls(5)
    normalization(INPUTS, MASK)[MASK].square().mul(torch.arange(5)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in normalization.parameters())


def test_saving_and_loading_changes_nothing(cls: type[Normalization]) -> None:
    normalization = cls(5)
    normalization(INPUTS, MASK)
    other = cls(5).eval()
    other.load_state_dict(saved(normalization.state_dict()))
    assert torch.equal(other(INPUTS, MASK)[MASK], normalization.eval()(INPUTS, MASK)[MASK])


def test_batch_normalization_is_torchs_over_the_real_positions() -> None:
    ours, theirs = BatchNorm(5), nn.BatchNorm1d(5)
    for _ in range(3):
        torch.testing.assert_close(ours(INPUTS, MASK)[MASK], theirs(INPUTS[MASK]))
    torch.testing.assert_close(ours.layer.state_dict(), theirs.state_dict())
    torch.testing.assert_close(ours.eval()(INPUTS, MASK)[MASK], theirs.eval()(INPUTS[MASK]))


def test_a_single_position_has_no_variance_and_takes_the_running_one() -> None:
    normalization = BatchNorm(5)
    normalization(INPUTS, MASK)
    alone = normalization(INPUTS[:1, :1], MASK[:1, :1])
    torch.testing.assert_close(alone, normalization.eval()(INPUTS[:1, :1], MASK[:1, :1]))


@pytest.mark.parametrize("place", ["input_normalization", "output_normalization"])
def test_an_encoder_normalizes_where_it_is_told(cls: type[Normalization], place: str) -> None:
    torch.manual_seed(0)
    encoder = RecurrentEncoder(5, bidirectional=True, **{place: cls}).eval()
    torch.manual_seed(0)
    plain = RecurrentEncoder(5, bidirectional=True).eval()
    encoder_output, normalization = encoder(INPUTS, LENGTHS), getattr(encoder, place)
    if place == "input_normalization":
        expected = plain(normalization(INPUTS, MASK), LENGTHS)
        torch.testing.assert_close(encoder_output.outputs, expected.outputs)
    else:
        expected = plain(INPUTS, LENGTHS)
        torch.testing.assert_close(encoder_output.outputs[MASK], normalization(expected.outputs, MASK)[MASK])
    torch.testing.assert_close(encoder_output.final.hidden, expected.final.hidden)
