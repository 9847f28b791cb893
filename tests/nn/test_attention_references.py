"""Every attention of the shelf against references of other origin, in float64.

Each has a NumPy version below, written from the paper's equations one sentence and one target position at a time. An
attention that is in no experiment yet (one that is being tried) needs none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from s2s_lit.nn.attention.additive import AdditiveAttention
from s2s_lit.nn.attention.base import Attention
from s2s_lit.nn.attention.dot import DotAttention
from s2s_lit.nn.attention.general import GeneralAttention
from s2s_lit.nn.attention.local_m import LocalMonotonicAttention
from s2s_lit.nn.attention.local_p import LocalPredictiveAttention
from s2s_lit.nn.attention.multi_head import MultiHeadAttention
from s2s_lit.nn.attention.scaled_dot import ScaledDotAttention
from support.parts import concrete_subclasses

Array = NDArray[np.float64]
Weights = dict[str, Array]
Reference = Callable[[Weights, Array, Array], Iterator[tuple[Array, Array]]]
"""Yields context and weights for each query [H] of the queries [T, H] at the encoder outputs [S, M] of one sentence."""

ROOT = Path(__file__).parents[2]
LENGTHS = (7, 3, 1)
MASK = torch.arange(7) < torch.tensor(LENGTHS).unsqueeze(1)
EXACT = {"rtol": 1e-10, "atol": 1e-12}


def softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def by_content(score: Callable[[Weights, Array, Array], float]) -> Reference:
    def attend(w: Weights, queries: Array, encoded: Array) -> Iterator[tuple[Array, Array]]:
        for q in queries:
            weights = softmax(np.array([score(w, q, m) for m in encoded]))
            yield weights @ encoded, weights

    return attend


def dot(w: Weights, q: Array, m: Array) -> float:
    return q @ m


def scaled_dot(w: Weights, q: Array, m: Array) -> float:
    return q @ m / len(q) ** 0.5


def general(w: Weights, q: Array, m: Array) -> float:
    return q @ w["key_layer.weight"] @ m


def concat(w: Weights, q: Array, m: Array) -> float:
    return w["score_layer.weight"][0] @ np.tanh(w["layer.weight"] @ np.concatenate([q, m]))


def compare(w: Weights, q: Array, m: Array, feature: Array | float = 0.0) -> float:
    query = w["query_layer.weight"] @ q + w["query_layer.bias"]
    return w["score_layer.weight"][0] @ np.tanh(query + w["key_layer.weight"] @ m + feature)


def multi_head(w: Weights, queries: Array, encoded: Array) -> Iterator[tuple[Array, Array]]:
    heads, size = 2, queries.shape[1] // 2
    for q in queries:
        found, all_weights = [], []
        for i in range(heads):
            rows = slice(i * size, (i + 1) * size)
            query = w["query_layer.weight"][rows] @ q + w["query_layer.bias"][rows]
            keys = [w["key_layer.weight"][rows] @ m for m in encoded]
            values = [w["value_layer.weight"][rows] @ m + w["value_layer.bias"][rows] for m in encoded]
            weights = softmax(np.array([query @ key for key in keys]) / size**0.5)
            found.append(sum(a * v for a, v in zip(weights, values, strict=True)))
            all_weights.append(weights)
        yield w["output_layer.weight"] @ np.concatenate(found) + w["output_layer.bias"], np.mean(all_weights, axis=0)


def within(w: Weights, q: Array, encoded: Array, place: float, gauss: bool, half_width: int) -> tuple[Array, Array]:
    """Luong's equation 10, divided by its sum; without the Gaussian, the softmax over the window."""
    inside = [s for s in range(len(encoded)) if abs(s - place) <= half_width]
    weights = np.zeros(len(encoded))
    weights[inside] = softmax(np.array([q @ w["content.key_layer.weight"] @ encoded[s] for s in inside]))
    if gauss:
        sigma = half_width / 2
        weights *= np.exp(-((np.arange(len(encoded)) - place) ** 2) / (2 * sigma**2))
    weights /= weights.sum()
    return weights @ encoded, weights


def local_m(w: Weights, queries: Array, encoded: Array, half_width: int = 10) -> Iterator[tuple[Array, Array]]:
    for t, q in enumerate(queries):
        yield within(w, q, encoded, min(t, len(encoded) - 1), False, half_width)


def local_p(w: Weights, queries: Array, encoded: Array, half_width: int = 10) -> Iterator[tuple[Array, Array]]:
    for q in queries:
        place = len(encoded) * sigmoid(w["place_score_layer.weight"][0] @ np.tanh(w["place_layer.weight"] @ q))
        yield within(w, q, encoded, place, True, half_width)


def location(w: Weights, queries: Array, encoded: Array) -> Iterator[tuple[Array, Array]]:
    filters = w["filter_layer.weight"][:, 0]  # [filters, width]
    reach = filters.shape[1] // 2
    weights = np.full(len(encoded), 1 / len(encoded))
    for q in queries:
        around = np.pad(weights, reach)
        features = [w["location_layer.weight"] @ filters @ around[s : s + 2 * reach + 1] for s in range(len(encoded))]
        weights = softmax(np.array([compare(w, q, m, f) for m, f in zip(encoded, features, strict=True)]))
        yield weights @ encoded, weights


def coverage(w: Weights, queries: Array, encoded: Array, most: float = 2.0) -> Iterator[tuple[Array, Array]]:
    covered = np.zeros(len(encoded))
    fertility = most * sigmoid(encoded @ w["fertility_layer.weight"][0]) if "fertility_layer.weight" in w else 1.0
    for q in queries:
        features = [w["coverage_layer.weight"][:, 0] * c for c in covered]
        weights = softmax(np.array([compare(w, q, m, f) for m, f in zip(encoded, features, strict=True)]))
        covered = covered + weights / fertility
        yield weights @ encoded, weights


REFERENCES: dict[str, Reference] = {
    "AdditiveAttention": by_content(compare),
    "ConcatAttention": by_content(concat),
    "CoverageAttention": coverage,
    "DotAttention": by_content(dot),
    "FertilityAttention": coverage,
    "GeneralAttention": by_content(general),
    "LocalMonotonicAttention": local_m,
    "LocalPredictiveAttention": local_p,
    "LocationAttention": location,
    "MultiHeadAttention": multi_head,
    "ScaledDotAttention": by_content(scaled_dot),
}
ATTENTIONS = {cls.__name__: cls for cls in concrete_subclasses(Attention, "s2s_lit.nn.attention")}


def test_every_attention_of_an_experiment_has_a_reference() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "experiments").glob("*.yaml")]
    used = {name for text in texts for name in re.findall(r"\b\w+Attention\b", text)}
    assert used
    assert used <= REFERENCES.keys()


def tensors(query_size: int, encoder_size: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.randn(3, 5, query_size).double(), torch.randn(3, 7, encoder_size).double()


def run(attention: Attention, queries: Tensor, encoded: Tensor) -> tuple[Tensor, Tensor]:
    prepared = attention.prepare(encoded, MASK)
    with torch.no_grad():
        contexts, weights, _ = attention(queries, prepared, attention.start(prepared))
    return contexts, weights


def agrees(attention: Attention, reference: Callable[..., Iterator[tuple[Array, Array]]], **settings: float) -> None:
    queries, encoded = tensors(attention.query_size, attention.encoder_size)
    contexts, weights = run(attention, queries, encoded)
    parameters = {name: parameter.detach().numpy() for name, parameter in attention.named_parameters()}
    for row, length in enumerate(LENGTHS):
        expected = list(reference(parameters, queries[row].numpy(), encoded[row, :length].numpy(), **settings))
        for t, (context, row_weights) in enumerate(expected):
            np.testing.assert_allclose(contexts[row, t].numpy(), context, **EXACT)
            np.testing.assert_allclose(weights[row, t, :length].numpy(), row_weights, **EXACT)
        assert len(expected) == queries.shape[1]


@pytest.mark.parametrize("name", REFERENCES)
def test_float64_agrees_with_numpy(name: str) -> None:
    torch.manual_seed(0)
    sizes = (6, 6) if issubclass(ATTENTIONS[name], DotAttention) else (6, 4)
    agrees(ATTENTIONS[name](*sizes).double(), REFERENCES[name])


@pytest.mark.parametrize("half_width", [1, 2])
@pytest.mark.parametrize("kind", [LocalMonotonicAttention, LocalPredictiveAttention])
def test_narrow_windows_agree_with_numpy(kind: type, half_width: int) -> None:
    torch.manual_seed(0)
    attention = kind(6, 4, half_width=half_width).double()
    agrees(attention, REFERENCES[kind.__name__], half_width=half_width)
    _, weights = run(attention, *tensors(6, 4))
    assert (weights > 0).sum(-1).max() <= 2 * half_width + 1


def test_other_filters_and_fertilities_agree_with_numpy() -> None:
    torch.manual_seed(0)
    narrow = ATTENTIONS["LocationAttention"](6, 4, attention_size=5, filters=4, filter_width=3).double()
    assert narrow.filter_layer.weight.shape == (4, 1, 3)
    agrees(narrow, location)
    agrees(ATTENTIONS["FertilityAttention"](6, 4, attention_size=5, max_fertility=0.7).double(), coverage, most=0.7)


def test_windows_are_no_wider_than_they_may_be() -> None:
    with pytest.raises(ValueError, match="half_width must be at least 1"):
        LocalPredictiveAttention(6, 4, half_width=0)


def test_the_content_of_a_window_is_compared_by_any_score() -> None:
    torch.manual_seed(0)
    wide = LocalMonotonicAttention(6, 4, content=AdditiveAttention, half_width=100).double()
    for one, other in zip(run(wide, *tensors(6, 4)), run(wide.content, *tensors(6, 4)), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("kind", [DotAttention, ScaledDotAttention])
def test_dot_agrees_with_torch(kind: type[DotAttention]) -> None:
    queries, encoded = tensors(6, 6)
    scale = 1.0 if kind is DotAttention else None
    expected = F.scaled_dot_product_attention(queries, encoded, encoded, attn_mask=MASK.unsqueeze(1), scale=scale)
    torch.testing.assert_close(run(kind(6, 6), queries, encoded)[0], expected)


@pytest.mark.parametrize("kind", [DotAttention, ScaledDotAttention])
def test_dot_says_what_to_do_about_unequal_sizes(kind: type[DotAttention]) -> None:
    with pytest.raises(ValueError, match=f"{kind.__name__} .* halve the encoder's hidden_size .* GeneralAttention"):
        kind(6, 12)


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_multi_head_agrees_with_torch(heads: int) -> None:
    torch.manual_seed(0)
    ours = MultiHeadAttention(6, 4, heads=heads).double()
    theirs = nn.MultiheadAttention(6, heads, kdim=4, vdim=4, batch_first=True).double()
    with torch.no_grad():
        theirs.q_proj_weight.copy_(ours.query_layer.weight)
        theirs.k_proj_weight.copy_(ours.key_layer.weight)
        theirs.v_proj_weight.copy_(ours.value_layer.weight)
        zero = torch.zeros(6)  # of the keys: it would add the same to every score
        theirs.in_proj_bias.copy_(torch.cat([ours.query_layer.bias, zero, ours.value_layer.bias]))
        theirs.out_proj.load_state_dict(ours.output_layer.state_dict())
    queries, encoded = tensors(6, 4)
    expected = theirs(queries, encoded, encoded, key_padding_mask=~MASK)  # weights: the mean over heads
    for one, other in zip(run(ours, queries, encoded), expected, strict=True):
        torch.testing.assert_close(one, other)


def test_heads_must_divide_the_query() -> None:
    with pytest.raises(ValueError, match=r"heads \(4\) must divide the decoder's state \(6 units\)"):
        MultiHeadAttention(6, 4, heads=4)


def test_there_is_a_head_and_a_fertility() -> None:
    with pytest.raises(ValueError, match=r"heads \(0\)"):
        MultiHeadAttention(6, 4, heads=0)
    with pytest.raises(ValueError, match=r"max_fertility must be above 0, not 0\.0"):
        ATTENTIONS["FertilityAttention"](6, 4, max_fertility=0.0)


def test_concat_is_additive_without_a_bias() -> None:
    concat, additive = ATTENTIONS["ConcatAttention"](6, 4).double(), AdditiveAttention(6, 4, attention_size=6).double()
    with torch.no_grad():
        additive.query_layer.weight.copy_(concat.layer.weight[:, :6])
        additive.key_layer.weight.copy_(concat.layer.weight[:, 6:])
        additive.score_layer.weight.copy_(concat.score_layer.weight)
        additive.query_layer.bias.zero_()
    for one, other in zip(run(concat, *tensors(6, 4)), run(additive, *tensors(6, 4)), strict=True):
        torch.testing.assert_close(one, other)


def test_general_is_dot_after_a_projection() -> None:
    general = GeneralAttention(6, 4).double()
    queries, encoded = tensors(6, 4)
    _, weights = run(general, queries, encoded)
    _, expected = run(DotAttention(6, 6), queries, general.key_layer(encoded).detach())
    torch.testing.assert_close(weights, expected)
