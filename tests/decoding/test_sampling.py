"""Sampling against an independent NumPy version and against the distribution it draws from."""

from __future__ import annotations

from collections import Counter
from functools import partial

import numpy as np
import pytest
import torch

from s2s_lit.decoding.sampling import SamplingSearch
from s2s_lit.errors import UserError
from s2s_lit.nn.recurrent import GRU
from s2s_lit.types import Inputs
from support.networks import language_model
from tables import BOS, EOS, A, B, C, chain, random_tables, sources


def expected(log_probs: np.ndarray, temperature: float, top_k: int, top_p: float) -> np.ndarray:
    """The distribution drawn from, token by token in plain steps."""
    p = np.exp(log_probs / temperature)
    p /= p.sum()
    order = np.argsort(-p, kind="stable")
    if top_k:
        p[order[top_k:]] = 0.0
        p /= p.sum()
    share, kept = 0.0, []
    for token in order:
        if share >= top_p:
            break
        share += p[token]
        kept.append(token)
    result = np.zeros_like(p)
    result[kept] = p[kept]
    return result / result.sum()


SETTINGS = [(1.0, 0, 1.0), (0.5, 0, 1.0), (2.0, 4, 1.0), (1.0, 0, 0.7), (1.5, 6, 0.8), (1.0, 3, 0.01)]


@pytest.mark.parametrize(("temperature", "top_k", "top_p"), SETTINGS)
def test_draws_from_the_distribution_of_plain_numpy(temperature: float, top_k: int, top_p: float) -> None:
    """Evenly spread numbers fall on each token as often as its probability says, to the number."""
    log_probs = torch.randn(10, generator=torch.Generator().manual_seed(0), dtype=torch.float64).log_softmax(0)
    search = SamplingSearch(temperature=temperature, top_k=top_k, top_p=top_p)
    count = 20_000
    uniform = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    drawn = search.draw(log_probs.expand(count, -1), uniform)
    frequencies = np.bincount(drawn.numpy(), minlength=10) / count
    np.testing.assert_allclose(frequencies, expected(log_probs.numpy(), temperature, top_k, top_p), atol=1.5 / count)


def test_the_ends_of_the_unit_interval_draw_possible_tokens() -> None:
    log_probs = torch.tensor([[-torch.inf, 0.5, 0.5, -torch.inf]]).log_softmax(-1)
    for top_p in (0.6, 1.0):
        search = SamplingSearch(top_p=top_p)
        assert search.draw(log_probs, torch.tensor([0.0], dtype=torch.float64)).tolist() == [1]
        last = search.draw(log_probs, torch.tensor([1 - 2**-53], dtype=torch.float64)).tolist()
        assert last == [2]


def test_frequencies_are_the_models() -> None:
    """Chi-square over all outputs of at most two tokens, with a fixed seed."""
    model = random_tables(1, 3, spread=0.7)
    search = SamplingSearch(n_best=4000, max_length_ratio=0.0, max_length_offset=2, seed=11)
    (found,) = search(model, sources([2]))
    outputs = [tuple(h.token_ids) + (EOS,) * h.finished for h in found]
    possible = [(EOS,)] + [(x, y) for x in (A, B, C) for y in (A, B, C, EOS)]
    counts = np.array([outputs.count(output) for output in possible])
    assert counts.sum() == len(found) == 4000
    means = 4000 * np.exp([model.log_prob(0, output) for output in possible])
    assert means.min() > 5
    assert ((counts - means) ** 2 / means).sum() < 32.9  # the 99.9th percentile at 12 degrees of freedom


def test_a_seed_and_a_source_give_the_samples() -> None:
    model = random_tables(3, 0, spread=0.5)
    given = sources([3, 4, 2])
    state = torch.get_rng_state()
    once, again, other = (SamplingSearch(n_best=8, seed=seed)(model, given) for seed in (1, 1, 2))
    assert once == again
    assert once != other
    assert torch.equal(torch.get_rng_state(), state), "it leaves torch's own random numbers alone"


def test_more_samples_begin_with_the_fewer() -> None:
    model = random_tables(1, 0, spread=0.5)
    few, many = (SamplingSearch(n_best=n)(model, sources([4]))[0] for n in (3, 10))
    assert Counter(tuple(h.token_ids) for h in few) <= Counter(tuple(h.token_ids) for h in many)


def test_the_score_is_the_models_whatever_the_temperature() -> None:
    model = chain({BOS: {A: 0.9, B: 0.1}, A: {EOS: 1.0}, B: {EOS: 1.0}})
    (found,) = SamplingSearch(n_best=200, temperature=5.0)(model, sources([2]))
    scores = {tuple(h.token_ids): h.log_prob for h in found}
    assert scores == pytest.approx({(A,): np.log(0.9), (B,): np.log(0.1)}, abs=1e-6)
    assert [h.score for h in found] == [h.log_prob for h in found]


@pytest.mark.parametrize(
    "options", [{"n_best": 0}, {"temperature": 0.0}, {"top_k": -1}, {"top_p": 0.0}, {"top_p": 1.1}]
)
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(UserError, match=next(iter(options))):
        SamplingSearch(**options)


def test_where_nothing_is_read_the_place_decides() -> None:
    torch.manual_seed(0)
    model, search = language_model(partial(GRU, hidden_size=5))(), SamplingSearch(max_length_offset=12)
    found = [tuple(hypotheses[0].token_ids) for hypotheses in search(model, Inputs(6))]
    assert len(set(found)) == 6
    assert [tuple(hypotheses[0].token_ids) for hypotheses in search(model, Inputs(3))] == found[:3]
