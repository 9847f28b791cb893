"""The pointer-generator output: its distribution, and gradients where one of its parts is zero."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.nn.attention.general import GeneralAttention
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.outputs.linear import LinearOutput
from s2s_lit.nn.outputs.pointer import PointerOutput
from support.networks import VOCAB, random_batch

SOURCE = torch.tensor([[5, 6, 5, 0], [4, 4, 4, 3], [9, 3, 7, 7]])  # the last ids of rows 1 and 3 are padding
WEIGHTS = torch.tensor([[0.2, 0.5, 0.3, 0.0], [0.1, 0.2, 0.3, 0.4], [0.6, 0.4, 0.0, 0.0]])


@pytest.fixture
def output() -> PointerOutput:
    torch.manual_seed(0)
    return PointerOutput(6, 10)


def features(scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(3, 6, generator=torch.Generator().manual_seed(1))


def test_it_is_the_mixture_of_see_2017(output: PointerOutput) -> None:
    ours = output(features(), WEIGHTS, SOURCE).exp().detach()
    generated = output.layer(features()).softmax(-1).detach().numpy()
    gate = torch.sigmoid(output.gate(features())).detach().numpy()
    expected = gate * generated
    for row in range(3):
        for token, weight in zip(SOURCE[row].tolist(), WEIGHTS[row].tolist(), strict=True):
            expected[row, token] += (1 - gate[row, 0]) * weight
    np.testing.assert_allclose(ours, expected, rtol=1e-5)
    torch.testing.assert_close(ours.sum(-1), torch.ones(3))


def test_a_token_at_padding_is_not_copied(output: PointerOutput) -> None:
    other = SOURCE.clone()
    other[0, 3], other[2, 2:] = 8, 1
    assert torch.equal(output(features(), WEIGHTS, SOURCE), output(features(), WEIGHTS, other))


@pytest.mark.parametrize("bias", [-200.0, 200.0], ids=["copies only", "generates only"])
@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_gradients_are_finite_where_a_part_is_zero(output: PointerOutput, bias: float, scale: float) -> None:
    torch.nn.init.constant_(output.gate.bias, bias)
    given = features(scale).requires_grad_()
    weights = torch.tensor([[1e-44, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [1e-25, 1.0, 0.0, 0.0]], requires_grad=True)
    log_probs = output(given, weights, SOURCE)
    assert log_probs.isfinite().all()
    log_probs.log_softmax(-1).sum().backward()
    for tensor in (given, weights, *output.parameters()):
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()


def test_gradients_agree_with_differences(output: PointerOutput) -> None:
    inputs = (features().double().requires_grad_(), WEIGHTS.double().clamp_min(0.01).requires_grad_())
    assert torch.autograd.gradcheck(lambda f, w: output.double()(f, w, SOURCE), inputs)


@pytest.mark.parametrize("kind", [LinearOutput, PointerOutput])
def test_only_an_output_that_copies_is_shown_where_from(kind: type[LinearOutput] | type[PointerOutput]) -> None:
    torch.manual_seed(0)
    decoder = partial(RecurrentDecoder, attention=GeneralAttention)
    model, batch = Seq2Seq({"source": VOCAB, "target": VOCAB}, decoder=decoder, output=kind).eval(), random_batch()
    shown = []
    model.output.register_forward_pre_hook(lambda _, given: shown.append([part is not None for part in given[1:]]))
    model(batch.inputs, batch.target)
    encoded, state = model.start(batch.inputs)
    model.step(batch.target.inputs[:, 0], encoded, state)
    assert shown == [[kind.copies] * 2] * 2


def test_it_says_what_it_needs() -> None:
    decoder = partial(RecurrentDecoder, attention=GeneralAttention)
    with pytest.raises(ValueError, match=r"PointerOutput needs one vocabulary .* data\.tokenizer"):
        Seq2Seq({"source": 10, "target": 11}, decoder=decoder, output=PointerOutput)
    with pytest.raises(ValueError, match=r"PointerOutput points with the attention: set model\.decoder\.attention"):
        Seq2Seq({"source": 10, "target": 10}, output=PointerOutput)
