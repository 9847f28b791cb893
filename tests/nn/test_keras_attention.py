"""Attentions against Keras's of the same weights, padding masked there and here; projections are ours alone."""

from __future__ import annotations

import os

import pytest
import torch
from torch import Tensor

os.environ["KERAS_BACKEND"] = "torch"
import keras

from s2s_lit.nn.attention.additive import AdditiveAttention
from s2s_lit.nn.attention.base import Attention
from s2s_lit.nn.attention.dot import DotAttention
from s2s_lit.nn.attention.general import GeneralAttention

MASK = torch.arange(7) < torch.tensor([7, 3, 1]).unsqueeze(1)
RANDOM = torch.Generator().manual_seed(1)
QUERIES, MEMORY = torch.randn(3, 5, 6, generator=RANDOM), torch.randn(3, 7, 4, generator=RANDOM)
WIDE_MEMORY = torch.randn(3, 7, 6, generator=RANDOM)


def agree(ours: Attention, theirs: keras.layers.Layer, queries: Tensor, keys: Tensor, encoded: Tensor) -> None:
    prepared = ours.prepare(encoded, MASK)
    contexts, weights, _ = ours(QUERIES, prepared, ours.start(prepared))
    found = theirs([queries, encoded, keys], mask=[None, MASK], return_attention_scores=True)
    for one, other in zip((contexts, weights), found, strict=True):
        torch.testing.assert_close(one, other)


def test_additive_agrees_with_keras() -> None:
    torch.manual_seed(0)
    ours, theirs = AdditiveAttention(6, 4, attention_size=8), keras.layers.AdditiveAttention()
    queries, keys = ours.query_layer(QUERIES), ours.key_layer(MEMORY)
    theirs.build([queries.shape, MEMORY.shape, keys.shape])
    theirs.set_weights([ours.score_layer.weight[0].detach().numpy()])
    agree(ours, theirs, queries, keys, MEMORY)


@pytest.mark.parametrize("kind", [DotAttention, GeneralAttention])
def test_products_agree_with_keras(kind: type[Attention]) -> None:
    torch.manual_seed(0)
    encoded = WIDE_MEMORY if kind is DotAttention else MEMORY
    ours = kind(6, encoded.shape[-1])
    agree(ours, keras.layers.Attention(), QUERIES, ours.project_keys(encoded), encoded)
