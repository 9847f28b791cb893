"""Float64 agrees with an independent NumPy version, written from the papers' equations position by position."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.nn.attention.additive import AdditiveAttention
from s2s_lit.nn.decoders.conditional_gru import ConditionalGRUDecoder
from s2s_lit.nn.decoders.input_feeding import InputFeedingDecoder
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.outputs.linear import LinearOutput
from s2s_lit.nn.outputs.pointer import PointerOutput
from s2s_lit.nn.recurrent import GRU, LSTM, RNN
from s2s_lit.types import BOS, EOS
from support import networks
from support.networks import has_recurrence, pairs_of, random_batch

Array = NDArray[np.float64]
Weights = dict[str, Array]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def rnn_step(w: Weights, p: str, s: str, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    return np.tanh(w[f"{p}weight_ih{s}"] @ x + w[f"{p}bias_ih{s}"] + w[f"{p}weight_hh{s}"] @ h + w[f"{p}bias_hh{s}"]), c


def lstm_step(w: Weights, p: str, s: str, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    gates = w[f"{p}weight_ih{s}"] @ x + w[f"{p}bias_ih{s}"] + w[f"{p}weight_hh{s}"] @ h + w[f"{p}bias_hh{s}"]
    i, f, g, o = np.split(gates, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(w: Weights, p: str, s: str, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    xr, xz, xn = np.split(w[f"{p}weight_ih{s}"] @ x + w[f"{p}bias_ih{s}"], 3)
    hr, hz, hn = np.split(w[f"{p}weight_hh{s}"] @ h + w[f"{p}bias_hh{s}"], 3)
    z = sigmoid(xz + hz)
    return (1 - z) * np.tanh(xn + sigmoid(xr + hr) * hn) + z * h, c


STEPS = {RNN: rnn_step, LSTM: lstm_step, GRU: gru_step}
SIZE, FEATURE = 4, 3


def linear(w: Weights, name: str, x: Array) -> Array:
    y = w[f"{name}.weight"] @ x
    return y + w[f"{name}.bias"] if f"{name}.bias" in w else y


def softmax(x: Array) -> Array:
    return np.exp(x) / np.exp(x).sum()


def read(w: Weights, recurrence: type, source: list[int]) -> tuple[list[Array], Array, Array]:
    """The encoded of one sentence, and the decoder's first state: hidden and cell."""
    step = STEPS[recurrence]
    embedded = [w["source_embedding.table.weight"][i] for i in source]
    states = {}
    for suffix, order in (("_l0", 1), ("_l0_reverse", -1)):
        h = c = np.zeros(SIZE)
        outputs = []
        for x in embedded[::order]:
            h, c = step(w, "encoder.recurrence.layers.0.layer.", suffix, x, h, c)
            outputs.append(h)
        states[suffix] = (outputs[::order], h)
    encoded = [np.concatenate(pair) for pair in zip(states["_l0"][0], states["_l0_reverse"][0], strict=True)]
    initial = np.tanh(linear(w, "decoder.bridge.layer", np.concatenate([states["_l0"][1], states["_l0_reverse"][1]])))
    return encoded, initial[:SIZE], initial[SIZE:] if recurrence is LSTM else np.zeros(SIZE)


def attend(w: Weights, query: Array, encoded: list[Array]) -> tuple[Array, Array]:
    """Context and weights of additive attention."""
    asked = linear(w, "decoder.attention.query_layer", query)
    compared = [np.tanh(asked + linear(w, "decoder.attention.key_layer", m)) for m in encoded]
    weights = softmax(np.array([linear(w, "decoder.attention.score_layer", each)[0] for each in compared]))
    return sum(weight * m for weight, m in zip(weights, encoded, strict=True)), weights


Positions = Iterator[tuple[Array, Array]]
"""Feature and weights at each target position."""


def attention_after(w: Weights, recurrence: type, encoded: list[Array], h: Array, c: Array, given: Array) -> Positions:
    for y in given:
        h, c = STEPS[recurrence](w, "decoder.recurrence.layers.0.layer.", "_l0", y, h, c)
        context, weights = attend(w, h, encoded)
        yield np.tanh(linear(w, "decoder.feature_layer", np.concatenate([h, context]))), weights


def input_feeding(w: Weights, recurrence: type, encoded: list[Array], h: Array, c: Array, given: Array) -> Positions:
    feature = np.zeros(FEATURE)
    for y in given:
        x = np.concatenate([y, feature])
        h, c = STEPS[recurrence](w, "decoder.recurrence.layers.0.layer.", "_l0", x, h, c)
        context, weights = attend(w, h, encoded)
        feature = np.tanh(linear(w, "decoder.feature_layer", np.concatenate([h, context])))
        yield feature, weights


def conditional_gru(w: Weights, recurrence: type, encoded: list[Array], h: Array, c: Array, given: Array) -> Positions:
    for y in given:
        between, _ = gru_step(w, "decoder.recurrence.layers.0.layer.", "_l0", y, h, c)
        context, weights = attend(w, between, encoded)
        h, _ = gru_step(w, "decoder.transition.layers.0.layer.", "_l0", context, between, c)
        yield np.tanh(linear(w, "decoder.feature_layer", np.concatenate([h, y, context]))), weights


def linear_output(w: Weights, feature: Array, weights: Array, source: list[int]) -> Array:
    return softmax(linear(w, "output.layer", feature))


def pointer_output(w: Weights, feature: Array, weights: Array, source: list[int]) -> Array:
    gate = sigmoid(linear(w, "output.gate", feature))
    probabilities = gate * softmax(linear(w, "output.layer", feature))
    for token, weight in zip(source, weights, strict=True):
        probabilities[token] += (1 - gate[0]) * weight
    return probabilities


DECODERS = {
    RecurrentDecoder: attention_after,
    InputFeedingDecoder: input_feeding,
    ConditionalGRUDecoder: conditional_gru,
}
OUTPUTS = {LinearOutput: linear_output, PointerOutput: pointer_output}
CASES = [
    *[(decoder, cell, LinearOutput) for decoder in (RecurrentDecoder, InputFeedingDecoder) for cell in STEPS],
    (ConditionalGRUDecoder, GRU, LinearOutput),
    *[(decoder, GRU, PointerOutput) for decoder in DECODERS],
]


def log_probs(w: Weights, case: tuple[type, type, type], source: list[int], target: list[int]) -> Array:
    """log p of every token at each target position of one sentence pair."""
    decoder, recurrence, output = case
    given = w["target_embedding.table.weight"][[BOS, *target]]
    positions = DECODERS[decoder](w, recurrence, *read(w, recurrence, source), given)
    return np.log([OUTPUTS[output](w, feature, weights, source) for feature, weights in positions])


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(cls.__name__ for cls in case))
def test_a_network_agrees_with_numpy(case: tuple[type, type, type]) -> None:
    torch.manual_seed(3)
    decoder, recurrence, output = case
    layers = partial(recurrence, hidden_size=SIZE)
    cell = {"recurrence": layers} if has_recurrence(decoder) else {"hidden_size": SIZE}
    model = Seq2Seq(
        networks.SIZES,
        embedding_size=5,
        encoder=partial(RecurrentEncoder, recurrence=layers, bidirectional=True),
        decoder=partial(decoder, **cell, attention=partial(AdditiveAttention, attention_size=6), feature_size=FEATURE),
        output=output,
    ).double()
    weights = {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}
    batch = random_batch()
    ours = model(batch.inputs, batch.target).logits.log_softmax(-1).detach().numpy()
    reference = np.concatenate([log_probs(weights, case, s, t) for s, t in pairs_of(batch)])
    np.testing.assert_allclose(ours, reference, rtol=1e-10, atol=1e-12)
    assert len(reference) == sum(len(t) + len([EOS]) for _, t in pairs_of(batch))


def test_every_decoder_and_output_has_its_reference() -> None:
    assert set(DECODERS) == set(networks.DECODERS)
    assert set(OUTPUTS) == set(networks.OUTPUTS)
