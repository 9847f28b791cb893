"""The cells that are ours: against NumPy written from the papers and torch's layers; zoneout by its expectation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from s2s_lit.nn.cell_recurrences import CellRecurrence, LayerNormGRU, LayerNormLSTM, UnrolledGRU, UnrolledLSTM
from s2s_lit.nn.recurrent import GRU, LSTM, StackedRecurrence

Array = NDArray[np.float64]
Weights = dict[str, Array]
Step = Callable[[Weights, Array, Array, Array], tuple[Array, Array]]
INPUTS = torch.randn(3, 5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.double)
LENGTHS = torch.tensor([3, 5, 1])


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def normalize(x: Array, w: Weights, name: str) -> Array:
    return w[f"{name}.weight"] * (x - x.mean()) / np.sqrt(x.var() + 1e-5) + w[f"{name}.bias"]


def layer_norm_lstm(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    gates = normalize(w["weight_ih"] @ x, w, "input_norm") + normalize(w["weight_hh"] @ h, w, "recurrent_norm")
    i, f, g, o = np.split(gates, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(normalize(c, w, "cell_norm")), c


def layer_norm_gru(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    both = 2 * len(h)
    wx, uh = w["weight_ih"] @ x, w["weight_hh"] @ h
    gates = normalize(wx[:both], w, "input_norms.0") + normalize(uh[:both], w, "recurrent_norms.0")
    r, z = np.split(sigmoid(gates), 2)
    n = np.tanh(normalize(wx[both:], w, "input_norms.1") + r * normalize(uh[both:], w, "recurrent_norms.1"))
    return (1 - z) * n + z * h, c


def lstm(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    i, f, g, o = np.split(w["weight_ih"] @ x + w["bias_ih"] + w["weight_hh"] @ h + w["bias_hh"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    xr, xz, xn = np.split(w["weight_ih"] @ x + w["bias_ih"], 3)
    hr, hz, hn = np.split(w["weight_hh"] @ h + w["bias_hh"], 3)
    z = sigmoid(xz + hz)
    return (1 - z) * np.tanh(xn + sigmoid(xr + hr) * hn) + z * h, c


def expected_zoneout(step: Step, hidden: float, cell: float) -> Step:
    def zoned(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        new_h, new_c = step(w, x, h, c)
        return hidden * h + (1 - hidden) * new_h, cell * c + (1 - cell) * new_c

    return zoned


CASES: dict[str, tuple[Callable[..., CellRecurrence], Step]] = {
    "LayerNormLSTM": (LayerNormLSTM, layer_norm_lstm),
    "LayerNormGRU": (LayerNormGRU, layer_norm_gru),
    "UnrolledLSTM": (UnrolledLSTM, lstm),
    "UnrolledGRU": (UnrolledGRU, gru),
    "LSTM-zoneout": (partial(UnrolledLSTM, zoneout=0.3, cell_zoneout=0.6), expected_zoneout(lstm, 0.3, 0.6)),
    "GRU-zoneout": (partial(UnrolledGRU, zoneout=0.3), expected_zoneout(gru, 0.3, 0.0)),
}


@pytest.mark.parametrize("case", CASES)
def test_both_directions_agree_with_numpy(case: str) -> None:
    make, step = CASES[case]
    torch.manual_seed(0)
    recurrence = make(3, True, hidden_size=4).double().eval()
    for parameter in recurrence.parameters():  # gains and biases of a normalization start as one and zero
        parameter.data += 0.3 * torch.randn_like(parameter)
    outputs, final = recurrence(INPUTS, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        for direction, order in enumerate((1, -1)):
            cell = recurrence.layers[0].cells[direction]
            weights = {name: p.detach().numpy() for name, p in cell.named_parameters()}
            h = c = np.zeros(4)
            expected = []
            for x in INPUTS[row, :length].numpy()[::order]:
                h, c = step(weights, x, h, c)
                expected.append(h)
            half = slice(4 * direction, 4 * direction + 4)
            np.testing.assert_allclose(outputs[row, :length, half].detach(), expected[::order], rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(final.hidden[row, 0, half].detach(), h, rtol=1e-10, atol=1e-12)
            if recurrence.has_cell:
                np.testing.assert_allclose(final.cell[row, 0, half].detach(), c, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("ours", "fused"), [(UnrolledLSTM, LSTM), (UnrolledGRU, GRU)])
def test_a_loop_without_masks_is_the_fused_layer(ours: type[CellRecurrence], fused: type[StackedRecurrence]) -> None:
    loop, kernel = (cls(3, True, hidden_size=4, num_layers=2).double() for cls in (ours, fused))
    for layer, reference in zip(loop.layers, kernel.layers, strict=True):
        for cell, suffix in zip(layer.cells, ("_l0", "_l0_reverse"), strict=True):
            for name, parameter in cell.named_parameters():
                getattr(reference.layer, name + suffix).data.copy_(parameter.data)
    for lengths in (LENGTHS, None):
        (outputs, final), (expected, expected_final) = loop(INPUTS, lengths=lengths), kernel(INPUTS, lengths=lengths)
        torch.testing.assert_close(outputs, expected)
        torch.testing.assert_close(final.hidden, expected_final.hidden)


@pytest.mark.parametrize("cls", [UnrolledLSTM, UnrolledGRU, LayerNormLSTM, LayerNormGRU])
def test_weights_start_as_torchs(cls: type[CellRecurrence]) -> None:
    """Even between -1 / sqrt(H) and that; those of a normalization as one and zero."""
    torch.manual_seed(0)
    for name, parameter in cls(30, True, hidden_size=25).named_parameters():
        if "norm" in name:
            assert (parameter == float(name.endswith("weight"))).all()
        else:
            assert 0.19 < parameter.abs().max() <= 0.2
            torch.testing.assert_close(parameter.std(), torch.tensor(0.2 / 3**0.5), atol=0.02, rtol=0)


@pytest.mark.parametrize("cls", [GRU, UnrolledGRU])
def test_who_has_no_forget_gate_refuses_its_bias(cls: type[GRU] | type[UnrolledGRU]) -> None:
    with pytest.raises(ValueError, match="has no forget gate: leave forget_bias out"):
        cls(3, True, hidden_size=4, forget_bias=1.0)


@pytest.mark.parametrize("cls", [LSTM, UnrolledLSTM, LayerNormLSTM])
def test_forget_gates_begin_with_their_bias_and_all_else_as_without(cls: type[LSTM] | type[UnrolledLSTM]) -> None:
    def begun(forget_bias: float | None) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        recurrence = cls(3, True, hidden_size=4, num_layers=2, forget_bias=forget_bias)
        return {name: p for name, p in recurrence.named_parameters() if "cell_norm" not in name}

    usual, biased = begun(None), begun(1.5)
    sums = []
    for name, parameter in biased.items():
        if "bias" in name:
            sums.append(parameter[4:8])
            assert torch.equal(parameter[:4], usual[name][:4])
            assert torch.equal(parameter[8:], usual[name][8:])
        else:
            assert torch.equal(parameter, usual[name])
    assert len(sums) == 8  # two for each layer and direction
    torch.testing.assert_close(torch.stack(sums).sum(0), torch.full((4,), 4 * 1.5))


@pytest.mark.parametrize("cls", [UnrolledLSTM, UnrolledGRU, LayerNormLSTM])
def test_zoneout_of_one_step_is_in_expectation_what_evaluation_takes(cls: type[CellRecurrence]) -> None:
    torch.manual_seed(0)
    rate = {"zoneout": 0.3, "cell_zoneout": 0.6} if cls is not UnrolledGRU else {"zoneout": 0.3}
    recurrence = cls(3, False, hidden_size=4, **rate)
    _, before = recurrence.eval()(torch.randn(1, 3, 3))
    state = type(before)(*[None if t is None else t.expand(20_000, -1, -1) for t in (before.hidden, before.cell)])
    inputs = torch.randn(1, 1, 3).expand(20_000, -1, -1)
    _, expected = recurrence.eval()(inputs, state)
    _, drawn = recurrence.train()(inputs, state)
    torch.testing.assert_close(drawn.hidden.mean(0), expected.hidden[0], atol=0.01, rtol=0)
    kept = (drawn.hidden == state.hidden).float().mean()
    torch.testing.assert_close(kept, torch.tensor(0.3), atol=0.02, rtol=0)
    if drawn.cell is not None:
        torch.testing.assert_close(drawn.cell.mean(0), expected.cell[0], atol=0.01, rtol=0)
        torch.testing.assert_close((drawn.cell == state.cell).float().mean(), torch.tensor(0.6), atol=0.02, rtol=0)


def test_recurrent_dropout_hides_units_from_the_weights_but_not_from_the_state() -> None:
    torch.manual_seed(0)
    recurrence = UnrolledGRU(3, False, hidden_size=4, recurrent_dropout=0.5)
    (masks,) = recurrence.draw(3)
    assert set(masks.recurrent.unique().tolist()) <= {0.0, 2.0}
    cell = recurrence.layers[0].cells[0]
    with torch.no_grad():  # z = 1: the old state is kept whole, though the weights see half of it
        cell.bias_ih[4:8] = 50.0
    _, before = recurrence.eval()(torch.randn(3, 2, 3))
    _, after = recurrence.train()(torch.randn(3, 2, 3), before, masks=(masks,))
    torch.testing.assert_close(after.hidden, before.hidden)


@pytest.mark.parametrize("cls", [UnrolledGRU, LayerNormGRU])
def test_a_cell_that_is_not_there_cannot_be_kept(cls: type[CellRecurrence]) -> None:
    with pytest.raises(ValueError, match=f"{cls.__name__} has no cell: leave cell_zoneout out"):
        cls(3, False, cell_zoneout=0.1)
