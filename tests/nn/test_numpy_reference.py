"""Float64 agrees with an independent NumPy version, written from the papers' equations position by position."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.nn.attention.additive import AdditiveAttention
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.encoders.recurrent import RecurrentEncoder
from s2s_lit.nn.recurrent import GRU, LSTM, RNN
from s2s_lit.types import BOS, EOS
from support.networks import pairs_of, random_batch

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
SIZE = 4


def log_probs(w: Weights, recurrence: type, source: list[int], target: list[int]) -> Array:
    """log p of every piece at each target position of one sentence pair."""
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
    memory = [np.concatenate(pair) for pair in zip(states["_l0"][0], states["_l0_reverse"][0], strict=True)]
    final = np.concatenate([states["_l0"][1], states["_l0_reverse"][1]])
    initial = np.tanh(w["decoder.bridge.layer.weight"] @ final + w["decoder.bridge.layer.bias"])
    h, c = initial[:SIZE], initial[SIZE:] if recurrence is LSTM else np.zeros(SIZE)
    result = []
    for token in [BOS, *target]:
        h, c = step(w, "decoder.recurrence.layers.0.layer.", "_l0", w["target_embedding.table.weight"][token], h, c)
        a = "decoder.attention."
        query = w[f"{a}query_layer.weight"] @ h + w[f"{a}query_layer.bias"]
        scores = np.array(
            [w[f"{a}score_layer.weight"][0] @ np.tanh(query + w[f"{a}key_layer.weight"] @ m) for m in memory]
        )
        weights = np.exp(scores) / np.exp(scores).sum()
        context = sum(weight * m for weight, m in zip(weights, memory, strict=True))
        feature = np.tanh(
            w["decoder.feature_layer.weight"] @ np.concatenate([h, context]) + w["decoder.feature_layer.bias"]
        )
        logits = w["output.layer.weight"] @ feature + w["output.layer.bias"]
        result.append(logits - np.log(np.exp(logits).sum()))
    return np.array(result)


@pytest.mark.parametrize("recurrence", STEPS, ids=lambda cls: cls.__name__)
def test_a_network_agrees_with_numpy(recurrence: type) -> None:
    torch.manual_seed(3)
    layers = partial(recurrence, hidden_size=SIZE)
    model = Seq2Seq(
        23,
        23,
        embedding_size=5,
        encoder=partial(RecurrentEncoder, recurrence=layers, bidirectional=True),
        decoder=partial(
            RecurrentDecoder, recurrence=layers, attention=partial(AdditiveAttention, attention_size=6), feature_size=3
        ),
    ).double()
    weights = {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}
    batch = random_batch()
    ours = model(batch).logits.log_softmax(-1).detach().numpy()
    reference = np.concatenate([log_probs(weights, recurrence, s, t) for s, t in pairs_of(batch)])
    np.testing.assert_allclose(ours, reference, rtol=1e-10, atol=1e-12)
    assert len(reference) == sum(len(t) + len([EOS]) for _, t in pairs_of(batch))
