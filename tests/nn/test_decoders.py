"""What decoders drop, and what of it is the same at all positions."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.nn.attention.general import GeneralAttention
from s2s_lit.nn.decoders.base import Decoder
from s2s_lit.nn.decoders.input_feeding import InputFeedingDecoder
from s2s_lit.types import Decoded
from support.networks import DECODERS, random_batch

BATCH = random_batch(sizes=((3, 6), (4, 6)))


@pytest.fixture(params=DECODERS, ids=lambda cls: cls.__name__)
def decoder(request: pytest.FixtureRequest) -> type[Decoder]:
    return request.param


def network(decoder: type[Decoder], **settings: object) -> Seq2Seq:
    torch.manual_seed(0)
    factory = partial(decoder, attention=GeneralAttention, **settings)  # 256 units, of the feature too
    return Seq2Seq({"source": 23, "target": 23}, embedding_size=5, decoder=factory)


def run(model: Seq2Seq) -> Decoded:
    torch.manual_seed(1)
    return model(BATCH.inputs, BATCH.target).decoded


@pytest.mark.parametrize("variational", [False, True])
def test_features_are_dropped_at_each_position_or_at_all(decoder: type[Decoder], variational: bool) -> None:
    model = network(decoder, dropout=0.5, variational=variational)
    features = run(model).features
    dropped = features == 0
    assert 0.3 < dropped.float().mean() < 0.7
    assert (dropped == dropped[:, :1]).all().item() is variational
    assert torch.equal(run(model).features, features)
    assert not (run(model.eval()).features == 0).any()


def test_what_a_feature_is_made_of_is_dropped_too(decoder: type[Decoder]) -> None:
    """Where a feature is the recurrence's output itself, half of it is dropped, and then half of the rest."""
    model = network(decoder, dropout=0.5)
    layer = model.decoder.feature_layer
    with torch.no_grad():
        layer.weight.copy_(torch.eye(*layer.weight.shape))  # of [hidden; ...]
        layer.bias.zero_()
    dropped = (run(model).features == 0).float().mean()
    torch.testing.assert_close(dropped, torch.tensor(0.75), atol=0.04, rtol=0)


def test_hidden_is_what_the_recurrence_yields_before_dropout(decoder: type[Decoder]) -> None:
    decoded = run(network(decoder, dropout=0.5))
    assert decoded.hidden.shape == (2, 6, 256)
    assert not (decoded.hidden == 0).any()
    torch.testing.assert_close(decoded.hidden[:, -1], decoded.state["hidden"][:, -1])


def test_the_feature_that_is_fed_is_the_one_that_is_predicted_from() -> None:
    decoded = run(network(InputFeedingDecoder, dropout=0.5))
    assert torch.equal(decoded.state["feed"], decoded.features[:, -1])
