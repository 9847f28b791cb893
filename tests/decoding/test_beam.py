"""Beam search against everything a small table can say."""

from __future__ import annotations

import math

import pytest
import torch

from s2s_lit.decoding.beam import BeamSearch, best_continuations
from s2s_lit.decoding.greedy import GreedySearch
from s2s_lit.errors import UserError
from tables import BOS, EOS, SIZE, A, B, C, TableModel, chain, random_tables, sources

EXHAUSTIVE = 3**5  # open hypotheses at the last step of a cap of 5


def ranked(model: TableModel, table: int, cap: int, length_penalty: float) -> list[tuple[float, list[int]]]:
    """Every finished output with its score, best first, by an independent program."""
    outputs = model.everything(table, cap).items()
    scored = [(log_prob / ((5 + len(y)) / 6) ** length_penalty, list(y[:-1])) for y, log_prob in outputs]
    return sorted(scored, reverse=True)


def test_finds_what_greedy_search_misses() -> None:
    model = chain({BOS: {A: 0.6, B: 0.4}, A: {A: 0.5, B: 0.5}, B: {EOS: 1.0}})
    assert GreedySearch()(model, sources([3]))[0][0].token_ids[:2] == [A, A]
    ((found,),) = BeamSearch(beam_size=2, length_penalty=0.0)(model, sources([3]))
    assert found.token_ids == [B]
    assert found.log_prob == pytest.approx(math.log(0.4))


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(6))
def test_a_large_beam_finds_the_best_of_all(seed: int, length_penalty: float) -> None:
    model = random_tables(2, seed)
    search = BeamSearch(
        beam_size=EXHAUSTIVE, n_best=7, length_penalty=length_penalty, max_length_ratio=0.0, max_length_offset=5
    )
    for table, found in enumerate(search(model, sources([4, 2]))):
        best = ranked(model, table, 5, length_penalty)[:7]
        assert [h.token_ids for h in found] == [tokens for _, tokens in best]
        assert [h.score for h in found] == pytest.approx([score for score, _ in best], abs=1e-5)
        assert all(h.finished for h in found)


def plain_beam(model: TableModel, table: int, search: BeamSearch, cap: int) -> list[tuple[list[int], bool, float]]:
    """The same search of one sentence as a plain program, which never stops early."""
    opened: list[tuple[list[int], float]] = [([], 0.0)]
    done: list[tuple[float, list[int]]] = []
    for length in range(1, cap + 1):
        norm = ((5 + length) / 6) ** search.length_penalty
        following = [(model.log_prob(table, [*y, token]), [*y, token]) for y, _ in opened for token in range(SIZE)]
        following = sorted((row for row in following if row[0] > -math.inf), reverse=True)
        done += [(total / norm, y) for total, y in following[: search.beam_size] if y[-1] == EOS]
        opened = [(y, total) for total, y in following if y[-1] != EOS][: search.beam_size]
        if len(done) >= search.beam_size:
            break
    finished = [(y[:-1], True, score) for score, y in sorted(done, reverse=True)]
    return [*finished, *((y, False, total / norm) for y, total in opened)][: search.n_best]


@pytest.mark.parametrize("max_length_ratio", [0.0, 2.0])
@pytest.mark.parametrize("beam_size", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(6))
def test_equals_a_plain_program(seed: int, beam_size: int, max_length_ratio: float) -> None:
    model = random_tables(4, seed)
    search = BeamSearch(
        beam_size=beam_size,
        n_best=beam_size,
        length_penalty=0.7,
        max_length_ratio=max_length_ratio,
        max_length_offset=3,
    )
    given = sources([4, 1, 5, 2])
    caps = search.length_caps(given["source"].lengths)
    for table, (cap, found) in enumerate(zip(caps, search(model, given), strict=True)):
        expected = plain_beam(model, table, search, int(cap))
        assert [(h.token_ids, h.finished) for h in found] == [row[:2] for row in expected]
        assert [h.score for h in found] == pytest.approx([row[2] for row in expected], abs=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_stopping_early_changes_nothing(seed: int) -> None:
    """The bound on open hypotheses: asking for more, which searches longer, begins with the same ones."""
    model = random_tables(4, seed, spread=1.0)
    options = {"beam_size": 5, "length_penalty": 1.5, "max_length_ratio": 2.0}
    few, many = (BeamSearch(n_best=n, **options)(model, sources([5, 2, 4, 3])) for n in (1, 5))
    assert [found[0] for found in few] == [found[0] for found in many]


def test_the_bound_saves_steps() -> None:
    model = chain({BOS: {EOS: 0.9, A: 0.1}, A: {A: 0.5, B: 0.5}, B: {A: 0.5, B: 0.5}})
    BeamSearch(beam_size=3, length_penalty=0.0)(model, sources([4]))
    assert len(model.steps) == 1
    # A long output could still score log(0.1) / (25 / 6) = -0.55 < log(0.9) under the longest cap, 20.
    BeamSearch(beam_size=3, length_penalty=1.0, max_length_offset=12)(model, sources([4]))
    assert len(model.steps) == 2


def test_the_bound_waits_for_longer_outputs_that_may_win() -> None:
    model = chain({BOS: {EOS: 0.5, A: 0.5}, A: {B: 1.0}, B: {C: 1.0}, C: {EOS: 1.0}})
    ((found,),) = BeamSearch(beam_size=2, length_penalty=1.0)(model, sources([4]))
    assert found.token_ids == [A, B, C]
    assert found.score == pytest.approx(math.log(0.5) / (9 / 6))


@pytest.mark.parametrize("seed", range(10))
def test_a_beam_of_one_is_greedy_search(seed: int) -> None:
    model = random_tables(4, seed)
    given = sources([5, 1, 3, 2])
    assert BeamSearch(beam_size=1, length_penalty=0.0)(model, given) == GreedySearch()(model, given)


def test_a_beam_of_one_takes_the_lower_of_two_equal_ids() -> None:
    model = chain({BOS: {C: 0.5, B: 0.5}, B: {EOS: 1.0}, C: {EOS: 1.0}})
    assert BeamSearch(beam_size=1)(model, sources([3]))[0][0].token_ids == [B]


def test_equal_scores_are_ranked_by_id() -> None:
    model = chain({BOS: {C: 0.25, B: 0.25, A: 0.25, EOS: 0.25}, A: {EOS: 1.0}, B: {EOS: 1.0}, C: {EOS: 1.0}})
    (found,) = BeamSearch(beam_size=4, n_best=4, length_penalty=0.0)(model, sources([3]))
    assert [h.token_ids for h in found] == [[], [A], [B], [C]]


def test_fewer_come_back_where_there_are_no_more() -> None:
    model = chain({BOS: {A: 0.5, B: 0.5}, A: {EOS: 1.0}, B: {EOS: 1.0}})
    (found,) = BeamSearch(beam_size=5, n_best=5)(model, sources([3]))
    assert [h.token_ids for h in found] == [[A], [B]]


def test_open_hypotheses_come_after_finished_ones_at_the_cap() -> None:
    model = chain({BOS: {A: 1.0}, A: {A: 0.9, EOS: 0.1}})
    search = BeamSearch(beam_size=4, n_best=4, max_length_ratio=0.0, max_length_offset=3, length_penalty=0.0)
    (found,) = search(model, sources([2]))
    assert [(h.token_ids, h.finished) for h in found] == [([A], True), ([A, A], True), ([A, A, A], False)]
    assert [h.log_prob for h in found] == pytest.approx([math.log(x) for x in (0.1, 0.09, 0.81)])


def test_ends_when_the_beam_is_full_of_finished_ones() -> None:
    """Two finished ones end a beam of two, though the open one might have scored better at its cap of 208."""
    model = chain({BOS: {A: 0.9, EOS: 0.1}, A: {A: 0.9, EOS: 0.1}})
    search = BeamSearch(beam_size=2, n_best=2, length_penalty=1.0, max_length_offset=200)
    (found,) = search(model, sources([4]))
    assert len(model.steps) == 2
    assert [h.token_ids for h in found] == [[A], []] or [h.token_ids for h in found] == [[], [A]]


@pytest.mark.parametrize(("width", "vocabulary", "count"), [(1, 4, 10), (3, 4, 6), (5, 300, 10), (2, 3, 6)])
def test_best_continuations_are_the_best_of_all(width: int, vocabulary: int, count: int) -> None:
    generator = torch.Generator().manual_seed(0)
    log_probs = torch.randn(6, width, vocabulary, generator=generator)
    sums = torch.randn(6, width, generator=generator)
    totals, slots, tokens = best_continuations(log_probs, sums, count)
    everything = (log_probs + sums.unsqueeze(2)).flatten(1)
    expected = everything.sort(dim=1, descending=True)
    torch.testing.assert_close(totals, expected.values[:, :count])
    assert torch.equal(slots * vocabulary + tokens, expected.indices[:, :count])


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"beam_size": 0}, "beam_size"),
        ({"beam_size": 2, "n_best": 3}, "n_best"),
        ({"length_penalty": -1.0}, "length_penalty"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, float], key: str) -> None:
    with pytest.raises(UserError, match=key):
        BeamSearch(**options)
