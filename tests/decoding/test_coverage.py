"""The coverage penalty against every output of a small table, by an independent program."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from s2s_lit.decoding.beam import BeamSearch
from s2s_lit.errors import UserError
from tables import NOTHING, AttendingTable, BlindTable, random_tables, sources

LENGTHS = (4, 2)


def covered(model: AttendingTable, table: int, tokens: tuple[int, ...], length: int) -> float:
    """sum over s of log min(sum over t of weights, 1), token by token."""
    path = [NOTHING, 2, *tokens]
    total = np.zeros(length)
    for before, last in pairwise(path[:-1]):
        e = np.exp(model.scores[table, before, last, :length].double().numpy())
        total += e / e.sum()
    return sum(math.log(min(x, 1.0)) for x in total)


@pytest.mark.parametrize("coverage_penalty", [0.2, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_large_beam_finds_the_best_of_all(seed: int, coverage_penalty: float) -> None:
    model = AttendingTable(random_tables(2, seed).tables, seed)
    options = {"beam_size": 3**4, "n_best": 7, "max_length_ratio": 0.0, "max_length_offset": 4}
    search = BeamSearch(coverage_penalty=coverage_penalty, **options)
    plain = BeamSearch(**options)(model, sources(LENGTHS))
    found = search(model, sources(LENGTHS))
    assert [[h.token_ids for h in row] for row in found] != [[h.token_ids for h in row] for row in plain]
    for table, hypotheses in enumerate(found):
        ranked = sorted(
            (
                (
                    log_prob / ((5 + len(y)) / 6) + coverage_penalty * covered(model, table, y, LENGTHS[table]),
                    list(y[:-1]),
                )
                for y, log_prob in model.everything(table, 4).items()
            ),
            reverse=True,
        )
        assert [h.token_ids for h in hypotheses] == [tokens for _, tokens in ranked[:7]]
        assert [h.score for h in hypotheses] == pytest.approx([score for score, _ in ranked[:7]], abs=1e-4)


def test_what_was_never_looked_at_makes_no_score_infinite() -> None:
    """Each step looks at one source token alone, so that short outputs leave some without a look."""
    model = AttendingTable(random_tables(2, 0).tables, spread=1e4)
    search = BeamSearch(beam_size=3, n_best=3, coverage_penalty=0.5)
    for found in search(model, sources(LENGTHS)):
        assert len(found) == 3
        assert all(math.isfinite(hypothesis.score) for hypothesis in found)


def test_without_an_attention_it_is_refused() -> None:
    with pytest.raises(UserError, match="coverage_penalty needs an attention"):
        BeamSearch(coverage_penalty=0.1)(BlindTable(random_tables(1, 0).tables), sources([3]))
    with pytest.raises(UserError, match="coverage_penalty"):
        BeamSearch(coverage_penalty=-0.1)
