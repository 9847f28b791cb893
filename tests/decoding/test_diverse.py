"""Diverse beam search: one group is a beam, several keep apart."""

from __future__ import annotations

import pytest

from s2s_lit.decoding.beam import BeamSearch
from s2s_lit.decoding.diverse import DiverseBeamSearch
from s2s_lit.errors import UserError
from tables import BOS, EOS, A, AttendingTable, B, C, chain, random_tables, sources


@pytest.mark.parametrize("seed", range(5))
def test_one_group_is_beam_search(seed: int) -> None:
    model = AttendingTable(random_tables(4, seed).tables, seed)
    options = {"beam_size": 4, "n_best": 4, "coverage_penalty": 0.2, "max_length_ratio": 1.0, "max_length_offset": 3}
    given = sources([5, 1, 3, 2])
    beam = BeamSearch(**options)(model, given)
    assert DiverseBeamSearch(groups=1, diversity_strength=9.0, **options)(model, given) == beam


def test_a_group_keeps_away_from_what_the_groups_before_it_took() -> None:
    """Groups of one: the second pays 0.6 for A and takes B (log 0.3 > log 0.45 - 0.6), the third pays for both.

    Where a token costs 0.25 the second takes A too (log 0.45 - 0.25 > log 0.3), and the third would pay for it twice.
    """
    model = chain({BOS: {A: 0.45, B: 0.3, C: 0.25}, A: {EOS: 1.0}, B: {EOS: 1.0}, C: {EOS: 1.0}})
    options = {"beam_size": 3, "groups": 3, "n_best": 3, "length_penalty": 0.0}
    (near,) = DiverseBeamSearch(diversity_strength=0.1, **options)(model, sources([3]))
    (twice,) = DiverseBeamSearch(diversity_strength=0.25, **options)(model, sources([3]))
    (apart,) = DiverseBeamSearch(diversity_strength=0.6, **options)(model, sources([3]))
    assert [h.token_ids for h in near] == [[A]], "all groups took the same, which counts once"
    assert [h.token_ids for h in twice] == [[A], [B]]
    assert [h.token_ids for h in apart] == [[A], [B], [C]]
    assert [h.log_prob for h in apart] == pytest.approx([-0.7985, -1.2040, -1.3863], abs=1e-4)


def test_without_strength_all_groups_are_the_first() -> None:
    model = random_tables(4, 0)
    given = sources([5, 1, 3, 2])
    options = {"n_best": 2, "max_length_ratio": 0.0, "max_length_offset": 6}
    beam = BeamSearch(beam_size=2, **options)(model, given)
    found = DiverseBeamSearch(beam_size=6, groups=3, diversity_strength=0.0, **options)(model, given)
    assert [row[0].token_ids for row in found] == [row[0].token_ids for row in beam]


@pytest.mark.parametrize("options", [{"groups": 0}, {"groups": 4}, {"diversity_strength": -1.0}])
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(UserError, match=next(iter(options))):
        DiverseBeamSearch(beam_size=6, **options)
