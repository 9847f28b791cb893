"""Layers against Keras's of the same weights, padding masked there and here."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

os.environ["KERAS_BACKEND"] = "torch"
import keras

from s2s_lit.nn.merges import ConcatMerge, SumMerge
from s2s_lit.nn.normalization import BatchNorm, LayerNorm
from s2s_lit.nn.recurrent import GRU, LSTM, RNN, StackedRecurrence

SIZE = 4
INPUTS = torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(1))
LENGTHS = torch.tensor([6, 2, 4])
MASK = torch.arange(6) < LENGTHS.unsqueeze(1)


def keras_weights(layer: nn.RNNBase, suffix: str) -> list[NDArray[np.float32]]:
    """Kernel, recurrent kernel and bias of one direction, as Keras lays them out."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    w, u, b, c = (getattr(layer, name + suffix).detach() for name in names)
    if isinstance(layer, nn.GRU):  # torch: r, z, n; Keras: z, r, n, and both biases
        w, u, b, c = (torch.cat([t[SIZE : 2 * SIZE], t[:SIZE], t[2 * SIZE :]]) for t in (w, u, b, c))
        return [w.T.numpy(), u.T.numpy(), torch.stack([b, c]).numpy()]
    return [w.T.numpy(), u.T.numpy(), (b + c).numpy()]


def keras_layer(ours: StackedRecurrence) -> keras.layers.Layer:
    common = {"return_sequences": True, "return_state": True}
    if isinstance(ours, LSTM):
        return keras.layers.LSTM(SIZE, **common)
    if isinstance(ours, GRU):
        return keras.layers.GRU(SIZE, reset_after=True, **common)
    return keras.layers.SimpleRNN(SIZE, activation=ours.nonlinearity, **common)


CASES = {
    "LSTM": (LSTM, {}),
    "GRU": (GRU, {}),
    "RNN-tanh": (RNN, {"nonlinearity": "tanh"}),
    "RNN-relu": (RNN, {"nonlinearity": "relu"}),
}


@pytest.mark.parametrize(("merge", "mode"), [(ConcatMerge, "concat"), (SumMerge, "sum")], ids=["concat", "sum"])
@pytest.mark.parametrize("case", CASES)
def test_a_bidirectional_layer_agrees_with_keras(case: str, merge: type, mode: str) -> None:
    cls, settings = CASES[case]
    torch.manual_seed(0)
    ours = cls(5, True, hidden_size=SIZE, merge=merge, **settings)
    theirs = keras.layers.Bidirectional(keras_layer(ours), merge_mode=mode)
    theirs.build(INPUTS.shape)
    layer = ours.layers[0].layer
    theirs.set_weights(keras_weights(layer, "_l0") + keras_weights(layer, "_l0_reverse"))
    outputs, final = ours(INPUTS, lengths=LENGTHS)
    expected, *states = theirs(INPUTS, mask=MASK)
    torch.testing.assert_close(outputs[MASK], expected[MASK])
    hidden = torch.cat([states[0], states[len(states) // 2]], dim=-1)
    torch.testing.assert_close(final.hidden[:, 0], hidden)


def test_batch_normalization_agrees_with_keras() -> None:
    """In training; Keras's running variance is that of the batch, torch's and ours the unbiased one."""
    ours = BatchNorm(5, momentum=0.25)
    theirs = keras.layers.BatchNormalization(momentum=0.75, epsilon=1e-5)
    theirs.build(INPUTS.shape)
    gain, bias = torch.rand(5) + 0.5, torch.rand(5)
    ours.layer.load_state_dict({**ours.layer.state_dict(), "weight": gain, "bias": bias})
    theirs.set_weights([gain.numpy(), bias.numpy(), np.zeros(5, "float32"), np.ones(5, "float32")])
    expected = theirs(INPUTS, training=True, mask=MASK)
    torch.testing.assert_close(ours(INPUTS, MASK)[MASK], expected[MASK])
    mean, variance = (torch.as_tensor(array) for array in theirs.get_weights()[2:])
    count = int(MASK.sum())
    torch.testing.assert_close(ours.layer.running_mean, mean)
    torch.testing.assert_close((ours.layer.running_var - 0.75) * (count - 1) / count, variance - 0.75)
    state = ours.layer.state_dict()
    theirs.set_weights([state[name].numpy() for name in ("weight", "bias", "running_mean", "running_var")])
    torch.testing.assert_close(ours.eval()(INPUTS, MASK)[MASK], theirs(INPUTS, training=False)[MASK])


def test_layer_normalization_agrees_with_keras() -> None:
    ours, theirs = LayerNorm(5), keras.layers.LayerNormalization(epsilon=1e-5)
    theirs.build(INPUTS.shape)
    gain, bias = torch.rand(5) + 0.5, torch.rand(5)
    ours.layer.load_state_dict({"weight": gain, "bias": bias})
    theirs.set_weights([gain.numpy(), bias.numpy()])
    torch.testing.assert_close(ours(INPUTS, MASK)[MASK], theirs(INPUTS)[MASK])
