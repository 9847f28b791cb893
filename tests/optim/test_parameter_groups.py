"""What decays and what does not."""

from __future__ import annotations

import torch
from torch import nn

from s2s_lit.nn.attention.additive import AdditiveAttention
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from s2s_lit.nn.recurrent import LSTM
from s2s_lit.optim.parameter_groups import decay_groups
from support.networks import network


def test_biases_and_norms_are_spared_and_nothing_is_lost() -> None:
    module = nn.Sequential(
        network(RecurrentDecoder, recurrence=LSTM, attention=AdditiveAttention)(), nn.LayerNorm(5), nn.BatchNorm1d(5)
    )
    optimizer = torch.optim.AdamW(decay_groups(module), weight_decay=0.3)
    decaying, spared = optimizer.param_groups
    assert (decaying["weight_decay"], spared["weight_decay"]) == (0.3, 0.0)
    assert {"0.source_embedding.table.weight", "0.decoder.attention.query_layer.weight"} <= set(decaying["param_names"])
    assert {"1.weight", "1.bias", "2.weight", "2.bias"} <= set(spared["param_names"])
    assert all(name.rpartition(".")[2].startswith("bias") for name in spared["param_names"] if name[0] == "0")
    assert not any("bias" in name for name in decaying["param_names"])
    grouped = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert grouped == {id(p) for p in module.parameters()}


def test_what_is_spared_keeps_its_value_where_nothing_pulls() -> None:
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.bias.fill_(1.0)
    optimizer = torch.optim.SGD(decay_groups(layer), lr=0.1, weight_decay=0.5)
    weight = layer.weight.detach().clone()
    (0 * layer(torch.ones(1, 3)).sum()).backward()
    optimizer.step()
    torch.testing.assert_close(layer.weight.detach(), weight * (1 - 0.1 * 0.5))
    assert torch.equal(layer.bias, torch.ones(2))


def test_what_is_frozen_is_in_no_group() -> None:
    layer = nn.Linear(3, 2)
    layer.weight.requires_grad_(False)
    assert [len(group["params"]) for group in decay_groups(layer)] == [0, 1]
