"""A line of predictions comes back as what was written."""

from __future__ import annotations

import dataclasses
import json

import torch

from s2s_lit.tracking.records.predictions import parse_line, prediction_line
from s2s_lit.types import Prediction

PLAIN = Prediction({"source": "größer\u2028"}, ("GRÖSSER",), "<größer>", ["g", "</s>"], ["<g>"], -1.23456, row=3)


def test_a_line_without_attention_is_texts_and_score() -> None:
    line = prediction_line(PLAIN)
    assert "größer" in line
    assert json.loads(line) == {
        "inputs": {"source": "größer\u2028"},
        "references": ["GRÖSSER"],
        "hypothesis": "<größer>",
        "score": -1.23456,
    }
    assert parse_line(line, 3) == dataclasses.replace(PLAIN, input_tokens=[], target_tokens=[])


def test_likelihoods_tokens_and_weights_come_back() -> None:
    weights = torch.rand(5, 7, generator=torch.Generator().manual_seed(1)).softmax(-1)
    source, target = [f"s{i}" for i in range(7)], [f"t{i}" for i in range(5)]
    written = Prediction({"source": "a"}, ("b",), "c", source, target, -1.0, weights.T.contiguous().T, 0, 12.3456789, 6)
    line = prediction_line(written)
    assert len(line) < 300
    read = parse_line(line)
    assert (read.input_tokens, read.target_tokens) == (source, target)
    assert (read.nll, read.reference_tokens) == (12.345679, 6)
    assert read.weights is not None
    torch.testing.assert_close(read.weights, weights, rtol=0, atol=0.5 / 255 + 1e-6)


def test_a_matrix_too_large_to_be_read_is_not_kept() -> None:
    weights = torch.full((100, 50), 0.02)
    large = dataclasses.replace(PLAIN, input_tokens=["s"] * 50, target_tokens=["t"] * 100, weights=weights)
    assert parse_line(prediction_line(large)).weights is None


def test_an_empty_output_has_an_empty_matrix() -> None:
    empty = dataclasses.replace(PLAIN, target_tokens=[], weights=torch.zeros(0, 2))
    read = parse_line(prediction_line(empty)).weights
    assert read is not None
    assert read.shape == (0, 2)
