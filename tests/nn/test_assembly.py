"""Parts that are handed over ready are used as they are, and equal those that a factory makes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from s2s_lit.errors import SettingError
from s2s_lit.nn.assembly import made
from s2s_lit.nn.attention.general import GeneralAttention
from s2s_lit.nn.attention.local_m import LocalMonotonicAttention
from s2s_lit.nn.attention.multi_head import MultiHeadAttention
from s2s_lit.nn.bridges import LastStateBridge, MeanBridge, ProjectedBridge
from s2s_lit.nn.decoders.base import Decoder
from s2s_lit.nn.decoders.conditional_gru import ConditionalGRUDecoder
from s2s_lit.nn.decoders.input_feeding import InputFeedingDecoder
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.normalization import BatchNorm, LayerNorm
from s2s_lit.nn.recurrent import GRU, LSTM

E, H, M, F = 3, 6, 8, 5
SOURCE = torch.randn(2, 4, E, generator=torch.Generator().manual_seed(0))
TARGET = torch.randn(2, 3, E, generator=torch.Generator().manual_seed(1))
LENGTHS = torch.tensor([4, 2])


def encoder() -> RecurrentEncoder:
    return RecurrentEncoder(E, recurrence=partial(GRU, hidden_size=M // 2), bidirectional=True)


def by_factories(kind: type[Decoder]) -> Decoder:
    cell = {"hidden_size": H} if kind is ConditionalGRUDecoder else {"recurrence": partial(GRU, hidden_size=H)}
    return kind(E, encoder(), attention=MultiHeadAttention, bridge=MeanBridge, feature_size=F, **cell)


def by_hand(kind: type[Decoder]) -> Decoder:
    reads = encoder()
    recurrence = GRU(E + F if kind is InputFeedingDecoder else E, False, hidden_size=H)
    cell = {"hidden_size": H} if kind is ConditionalGRUDecoder else {"recurrence": recurrence}
    bridge, attention = MeanBridge(reads, recurrence), MultiHeadAttention(H, M)
    return kind(E, reads, attention=attention, bridge=bridge, feature_size=F, **cell)


def run(read: RecurrentEncoder, decoder: Decoder) -> list[torch.Tensor]:
    encoded, state = decoder.start(read(SOURCE, LENGTHS))
    decoded = decoder(TARGET, encoded, state)
    return [decoded.features, decoded.weights, *decoded.state.values()]


@pytest.mark.parametrize("kind", [RecurrentDecoder, InputFeedingDecoder, ConditionalGRUDecoder])
def test_a_decoder_of_ready_parts_equals_one_of_factories(kind: type[Decoder]) -> None:
    torch.manual_seed(0)
    expected = by_factories(kind)
    torch.manual_seed(0)
    found = by_hand(kind)
    if kind is ConditionalGRUDecoder:  # which makes a recurrence of its own, where the ready bridge came with one
        found.load_state_dict(expected.state_dict())
    assert found.state_dict().keys() == expected.state_dict().keys()
    torch.manual_seed(0)
    read = encoder()
    for one, other in zip(run(read, found), run(read, expected), strict=True):
        assert torch.equal(one, other)


def test_an_encoder_of_ready_parts_equals_one_of_factories() -> None:
    outputs = []
    for make in (
        lambda: RecurrentEncoder(E, recurrence=LSTM, input_normalization=LayerNorm, output_normalization=BatchNorm),
        lambda: RecurrentEncoder(
            E, input_normalization=LayerNorm(E), recurrence=LSTM(E, False), output_normalization=BatchNorm(256)
        ),
    ):
        torch.manual_seed(0)
        outputs.append(make()(SOURCE, LENGTHS).outputs)
    assert torch.equal(*outputs)


def test_a_ready_part_is_the_part() -> None:
    attention = GeneralAttention(6, 8)
    assert made(attention, query_size=6, encoder_size=8) is attention
    assert LocalMonotonicAttention(6, 8, content=attention).content is attention
    assert RecurrentDecoder(E, encoder(), recurrence=LSTM(E, False, hidden_size=6), attention=attention).attention is (
        attention
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: RecurrentDecoder(E, encoder(), attention=GeneralAttention(7, M)),
            "GeneralAttention was made with query_size=7, but query_size=256 fits here",
        ),
        (
            lambda: RecurrentDecoder(E, encoder(), recurrence=LSTM(E + 1, False), attention=GeneralAttention),
            "LSTM was made with input_size=4, but input_size=3 fits here",
        ),
        (
            lambda: RecurrentDecoder(E, encoder(), recurrence=LSTM(E, True), attention=GeneralAttention),
            "LSTM was made with bidirectional=True, but bidirectional=False fits here",
        ),
        (
            lambda: RecurrentDecoder(E, encoder(), bridge=ProjectedBridge(encoder(), LSTM(E, False, num_layers=2))),
            "ProjectedBridge was made with num_layers=2, but num_layers=1 fits here",
        ),
        (
            lambda: RecurrentDecoder(
                E,
                encoder(),
                recurrence=GRU(E + M, False, hidden_size=H),
                bridge=LastStateBridge(RecurrentEncoder(E, recurrence=GRU), GRU(E, False)),
            ),
            "LastStateBridge was made with encoder_size=256, but encoder_size=8 fits here",
        ),
        (
            lambda: RecurrentEncoder(E, input_normalization=LayerNorm(9)),
            "LayerNorm was made with size=9, but size=3 fits here",
        ),
    ],
)
def test_a_ready_part_that_does_not_fit_is_refused(make: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(SettingError, match=f"^{message}$"):
        make()
