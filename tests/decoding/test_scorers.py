"""Forced scoring of given outputs."""

from __future__ import annotations

import pytest

from s2s_lit.decoding.scorers import forced_log_probs
from tables import EOS, A, B, C, random_tables, sources, targets


def test_each_token_has_its_probability_and_padding_none() -> None:
    model = random_tables(2, 0)
    scored = forced_log_probs(model, sources([3, 2]), targets([A, B, C, EOS], [C, EOS]))
    for table, tokens in enumerate([[A, B, C, EOS], [C, EOS]]):
        expected = [model.log_prob(table, tokens[: t + 1]) - model.log_prob(table, tokens[:t]) for t in range(4)]
        assert scored[table].tolist() == pytest.approx(expected, abs=1e-5)


def test_several_targets_of_a_source_lie_side_by_side() -> None:
    model = random_tables(2, 0)
    scored = forced_log_probs(model, sources([3, 2]), targets(*[[A, EOS], [B, EOS]] * 2)).sum(1)
    expected = [model.log_prob(table, [token, EOS]) for table in (0, 1) for token in (A, B)]
    assert scored.tolist() == pytest.approx(expected, abs=1e-5)
