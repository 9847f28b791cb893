"""Greedy search is a chain of likeliest tokens."""

from __future__ import annotations

import pytest
import torch

from s2s_lit.decoding.greedy import GreedySearch
from s2s_lit.errors import UserError
from tables import BOS, EOS, NOTHING, A, B, C, chain, random_tables, sources


def test_takes_the_likeliest_token_at_each_step() -> None:
    model = chain({BOS: {A: 0.6, B: 0.4}, A: {C: 0.5, EOS: 0.3, B: 0.2}, C: {EOS: 0.9, A: 0.1}, B: {EOS: 1.0}})
    ((found,),) = GreedySearch()(model, sources([3]))
    assert found.token_ids == [A, C]
    assert found.finished
    assert found.log_prob == pytest.approx(torch.tensor(0.6 * 0.5 * 0.9).log().item())
    assert found.score == found.log_prob


@pytest.mark.parametrize("seed", range(10))
def test_equals_the_chain_of_argmax(seed: int) -> None:
    model = random_tables(3, seed)
    search = GreedySearch(max_length_ratio=1.0, max_length_offset=2)
    for table, (found,) in enumerate(search(model, sources([4, 6, 2]))):
        path = [NOTHING, BOS]
        while path[-1] != EOS and len(path) < 2 + [6, 8, 4][table]:
            path.append(int(model.tables[table, path[-2], path[-1]].argmax()))
        assert found.token_ids == [token for token in path[2:] if token != EOS]
        assert found.finished == (path[-1] == EOS)


def test_of_equal_tokens_the_lower_id_is_taken() -> None:
    model = chain({BOS: {C: 0.25, B: 0.25, A: 0.25, EOS: 0.25}})
    assert GreedySearch()(model, sources([3]))[0][0].token_ids == []
    model = chain({BOS: {C: 0.5, B: 0.5}, B: {EOS: 1.0}, C: {EOS: 1.0}})
    assert GreedySearch()(model, sources([3]))[0][0].token_ids == [B]


def test_stops_at_the_cap_without_the_end() -> None:
    model = chain({BOS: {A: 1.0}, A: {A: 0.9, EOS: 0.1}})
    search = GreedySearch(max_length_ratio=1.5, max_length_offset=1)
    (long,), (short,) = search(model, sources([5, 2], tables=[0, 0]))
    assert (long.token_ids, long.finished) == ([A] * 8, False)  # floor(1.5 * 5 + 1)
    assert (short.token_ids, short.finished) == ([A] * 4, False)
    assert short.log_prob == pytest.approx(3 * torch.tensor(0.9).log().item())  # no end, so not its probability


def test_every_sentence_gets_at_least_one_token() -> None:
    search = GreedySearch(max_length_ratio=0.0, max_length_offset=-3)
    assert search.length_caps(torch.tensor([1, 9])).tolist() == [1, 1]


def test_a_negative_ratio_is_refused() -> None:
    with pytest.raises(UserError, match="max_length_ratio"):
        GreedySearch(max_length_ratio=-1.0)
