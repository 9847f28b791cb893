"""What every encoder obeys, whatever it reads with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch
from torch import Tensor

from s2s_lit.nn.encoders.base import Encoder
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.normalization import LayerNorm
from s2s_lit.nn.recurrent import GRU, LSTM
from s2s_lit.types import EncoderOutput
from support.parts import concrete_subclasses
from support.saving import saved

ENCODERS = concrete_subclasses(Encoder, "s2s_lit.nn.encoders")
INPUTS = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(1), dtype=torch.double)
LENGTHS = torch.tensor([6, 1, 4])
MASK = torch.arange(6) < LENGTHS.unsqueeze(1)

Make = Callable[..., Encoder]


def encoders() -> Iterator[tuple[str, Make]]:
    """Each as it is by default, and the recurrent one in all its ways of reading."""
    for kind in ENCODERS:
        yield kind.__name__, partial(kind, 4)
    small = partial(RecurrentEncoder, 4, recurrence=partial(GRU, hidden_size=3, num_layers=2))
    yield "RecurrentEncoder-both", partial(small, bidirectional=True)
    yield "RecurrentEncoder-normalized", partial(small, input_normalization=LayerNorm, output_normalization=LayerNorm)
    yield "RecurrentEncoder-cell", partial(small, recurrence=partial(LSTM, hidden_size=3))


MAKES = dict(encoders())


@pytest.fixture(params=MAKES)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    torch.manual_seed(0)
    return MAKES[request.param]().double()


def parts_of(output: EncoderOutput) -> list[Tensor]:
    """The real encoded positions, and the last states."""
    final = output.final
    return [output.outputs[output.mask], *(tensor for tensor in (final.hidden, final.cell) if tensor is not None)]


def test_sizes_are_as_stated(encoder: Encoder) -> None:
    output = encoder(INPUTS, LENGTHS)
    assert output.outputs.shape == (3, 6, encoder.encoder_size)
    assert torch.equal(output.mask, MASK)
    assert output.final.hidden.shape == (3, encoder.num_layers, encoder.state_size)
    assert (output.final.cell is not None) == encoder.has_cell


def test_padding_changes_nothing(encoder: Encoder) -> None:
    padded = torch.cat([INPUTS.masked_fill(~MASK.unsqueeze(2), 1e3), torch.full((3, 2, 4), 1e3)], dim=1)
    for one, other in zip(parts_of(encoder(padded, LENGTHS)), parts_of(encoder(INPUTS, LENGTHS)), strict=True):
        torch.testing.assert_close(one, other)


def test_a_batch_equals_its_sentences(encoder: Encoder) -> None:
    together = encoder(INPUTS, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        this = slice(row, row + 1)
        alone = encoder(INPUTS[this, :length], LENGTHS[this])
        torch.testing.assert_close(together.outputs[row, :length], alone.outputs[0])
        torch.testing.assert_close(together.final.hidden[this], alone.final.hidden)
        if alone.final.cell is not None:
            torch.testing.assert_close(together.final.cell[this], alone.final.cell)


def test_every_parameter_gets_a_gradient(encoder: Encoder) -> None:
    generator = torch.Generator().manual_seed(2)
    outputs = parts_of(encoder(INPUTS, LENGTHS))
    sum((x * torch.randn(x.shape, generator=generator, dtype=x.dtype)).sum() for x in outputs).backward()
    assert not [name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


@pytest.mark.parametrize("name", MAKES)
def test_saving_and_loading_changes_nothing(name: str) -> None:
    encoder, other = MAKES[name]().double(), MAKES[name]().double()
    other.load_state_dict(saved(encoder.state_dict()))
    for mine, theirs in zip(parts_of(encoder(INPUTS, LENGTHS)), parts_of(other(INPUTS, LENGTHS)), strict=True):
        assert torch.equal(mine, theirs)
