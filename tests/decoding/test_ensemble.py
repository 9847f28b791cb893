"""An ensemble against means written out."""

from __future__ import annotations

import pytest
import torch

from s2s_lit.decoding.beam import BeamSearch
from s2s_lit.decoding.constraints import MinimumLength
from s2s_lit.decoding.ensemble import Ensemble
from tables import AttendingTable, BlindTable, TableModel, random_tables, sources

GIVEN = sources([5, 1, 3, 2])


@pytest.mark.parametrize("mean", ["probabilities", "log_probabilities"])
def test_of_a_model_with_itself_it_is_the_model(mean: str) -> None:
    model = AttendingTable(random_tables(4, 0).tables)
    search = BeamSearch(n_best=3, coverage_penalty=0.1)
    alone = search(model, GIVEN, keep_weights=True)
    together = search(Ensemble([model, model], mean=mean), GIVEN, keep_weights=True)
    for one, other in zip(alone, together, strict=True):
        assert [h.token_ids for h in one] == [h.token_ids for h in other]
        assert [h.score for h in one] == pytest.approx([h.score for h in other], abs=1e-5)
        for first, second in zip(one, other, strict=True):
            torch.testing.assert_close(first.weights, second.weights)


@pytest.mark.parametrize("mean", ["probabilities", "log_probabilities"])
def test_it_is_the_model_of_the_means(mean: str) -> None:
    """Members that differ in what they remember, under a name that two of them share."""
    members = [random_tables(4, seed) for seed in (1, 2, 3)]
    tables = torch.stack([member.tables for member in members])
    if mean == "probabilities":
        averaged = tables.exp().mean(0).log()
    else:
        averaged = tables.mean(0).exp()
        averaged = (averaged / averaged.sum(-1, keepdim=True)).log()
    expected = BeamSearch(n_best=3)(TableModel(averaged), GIVEN)
    found = BeamSearch(n_best=3)(Ensemble([members[0], MinimumLength(members[1], 0), members[2]], mean=mean), GIVEN)
    for one, other in zip(expected, found, strict=True):
        assert [h.token_ids for h in one] == [h.token_ids for h in other]
        assert [h.score for h in one] == pytest.approx([h.score for h in other], abs=1e-5)


def test_weights_are_the_mean_of_those_that_attend() -> None:
    tables = random_tables(4, 0).tables
    members = [AttendingTable(tables, 1), BlindTable(tables), AttendingTable(tables, 2)]
    encoded, state = Ensemble(members).start(GIVEN)
    tokens = torch.full((4,), 2)
    _, weights, _ = Ensemble(members).step(tokens, encoded, state)
    parts = [model.step(tokens, *model.start(GIVEN))[1] for model in (members[0], members[2])]
    torch.testing.assert_close(weights, (parts[0] + parts[1]) / 2)
    encoded, state = Ensemble([members[1]]).start(GIVEN)
    assert Ensemble([members[1]]).step(tokens, encoded, state)[1] is None
