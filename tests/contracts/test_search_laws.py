"""Laws of every search; the searches are found in the package, so that a new one cannot miss them."""

from __future__ import annotations

import inspect
import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from s2s_lit.config.settings import settings
from s2s_lit.decoding.constraints import FREE, ForcedPrefix
from s2s_lit.decoding.sampling import SamplingSearch
from s2s_lit.decoding.scorers import forced_log_probs
from s2s_lit.decoding.search import Search
from s2s_lit.errors import SettingError
from s2s_lit.types import EOS, PAD, DecoderState, Encoded, Hypothesis, Inputs
from support.parts import concrete_subclasses
from tables import BOS, NOTHING, SIZE, A, AttendingTable, B, C, alone, code, random_tables, sources, targets

SEARCHES = concrete_subclasses(Search, "s2s_lit.decoding")
LENGTHS = [1, 5, 2, 3, 2]
SETTINGS: dict[str, dict[str, float]] = {  # caps that most and none of the hypotheses reach, then each constraint
    "tight": {"max_length_ratio": 0.0},
    "loose": {"max_length_ratio": 2.0},
    "min_length": {"max_length_ratio": 1.0, "min_length": 5},
    "no_repeat_ngram": {"max_length_ratio": 1.0, "no_repeat_ngram": 2},
    "both": {"max_length_ratio": 1.0, "min_length": 6, "no_repeat_ngram": 2},
    "coverage_penalty": {"max_length_ratio": 1.0, "coverage_penalty": 0.3},
    "coverage_at_the_cap": {"max_length_ratio": 0.0, "max_length_offset": 3, "coverage_penalty": 1.0},
}


@pytest.fixture(params=SEARCHES, ids=lambda found: found.__name__)
def kind(request: pytest.FixtureRequest) -> type[Search]:
    return request.param


def cases() -> dict[str, tuple[type[Search], dict[str, float]]]:
    """Each search under each of the settings that it has, with all it can return."""
    found = {}
    for kind in SEARCHES:
        known = inspect.signature(kind).parameters
        everything = {"n_best": 4} if "n_best" in known else {}
        for name, options in SETTINGS.items():
            if options.keys() <= known.keys():
                found[f"{kind.__name__}-{name}"] = kind, {"max_length_offset": 4, **everything, **options}
    return found


CASES = cases()


@pytest.fixture(params=CASES)
def search(request: pytest.FixtureRequest) -> Search:
    kind, options = CASES[request.param]
    return kind(**options)


def random_model(spread: float = 2.0) -> AttendingTable:
    return AttendingTable(random_tables(len(LENGTHS), 0, spread).tables)


def tokens(hypothesis: Hypothesis) -> list[int]:
    return hypothesis.token_ids + [EOS] * hypothesis.finished


def test_there_are_searches_and_every_setting_is_one_of_theirs() -> None:
    assert len(SEARCHES) >= 4
    assert {name.partition("-")[0] for name in CASES} == {kind.__name__ for kind in SEARCHES}
    assert {name.partition("-")[2] for name in CASES} == SETTINGS.keys()


def test_options_are_keywords_with_defaults_and_documented(kind: type[Search]) -> None:
    for parameter in inspect.signature(kind).parameters.values():
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.default is not parameter.empty
    assert all(setting.meaning for setting in settings(kind))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1_000_000, 1_000_000])
@pytest.mark.parametrize("limit", ["max_length_ratio", "max_length_offset", "min_length"])
def test_limits_of_no_use_are_refused(kind: type[Search], limit: str, value: float) -> None:
    with pytest.raises(SettingError, match=f"{limit} must be from .*, not {value}"):
        kind(**{limit: value})


class Tempted:
    """A StepModel that holds PAD and BOS likelier than anything else, and all else alike."""

    def start(self, inputs: Inputs) -> tuple[Encoded, DecoderState]:
        source = inputs["source"]
        return Encoded(mask=source.mask), DecoderState(ids=source.values)

    def step(self, tokens: Tensor, encoded: Encoded, state: DecoderState) -> tuple[Tensor, None, DecoderState]:
        logits = torch.zeros(len(tokens), SIZE)
        logits[:, [PAD, BOS]] = 5.0
        return logits.log_softmax(dim=-1), None, state


@pytest.mark.parametrize("limits", ["tight", "min_length", "no_repeat_ngram", "both"])
def test_no_output_holds_padding_or_the_beginning(kind: type[Search], limits: str) -> None:
    """However likely the model holds them, whatever the limits, and if they are forced; others keep their share."""
    search = kind(**SETTINGS[limits])
    forced = ForcedPrefix(Tempted(), torch.tensor([[A, BOS, PAD]] * len(LENGTHS)))
    for model in (Tempted(), forced):
        for found in search(model, sources(LENGTHS)):
            assert found
            for hypothesis in found:
                assert not {PAD, BOS} & set(hypothesis.token_ids)
                each = -math.log(2 * math.exp(5) + SIZE - 2)
                assert hypothesis.log_prob == pytest.approx(each * len(tokens(hypothesis)))
                assert model is not forced or hypothesis.token_ids[0] == A


def test_a_batch_equals_its_sentences_one_by_one(search: Search) -> None:
    model = random_model()
    given = sources(LENGTHS)
    together = search(model, given, keep_weights=True)
    assert len(together) == len(LENGTHS)
    for row, found in enumerate(together):
        (expected,) = search(model, alone(given, row), keep_weights=True)
        assert_same(found, expected)


def assert_same(found: list[Hypothesis], expected: list[Hypothesis]) -> None:
    assert [h.token_ids for h in found] == [h.token_ids for h in expected]
    assert [h.finished for h in found] == [h.finished for h in expected]
    assert [h.score for h in found] == pytest.approx([h.score for h in expected], abs=1e-5)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.weights, other.weights)


def test_hypotheses_are_distinct_and_ranked(search: Search) -> None:
    for found in search(random_model(), sources(LENGTHS)):
        assert found
        if not isinstance(search, SamplingSearch):  # which draws with replacement
            assert len({tuple(tokens(h)) for h in found}) == len(found)
        ranks = [(h.finished, h.score) for h in found]
        assert ranks == sorted(ranks, reverse=True)


def test_the_scorer_agrees_with_the_search(search: Search) -> None:
    """Under every constraint: what is barred takes nothing from what is not."""
    model = random_model()
    given = sources(LENGTHS)
    for row, found in enumerate(search(model, given)):
        scored = forced_log_probs(model, alone(given, row), targets(*map(tokens, found))).sum(1)
        assert scored.tolist() == pytest.approx([h.log_prob for h in found], abs=1e-5)
        assert scored.tolist() == pytest.approx([model.log_prob(row, tokens(h)) for h in found], abs=1e-5)


def test_the_score_follows_from_what_a_hypothesis_tells(search: Search) -> None:
    """Its log-probability by its length and, where the search has a coverage penalty, what its weights sum to."""
    length_penalty, coverage_penalty = (getattr(search, name, 0.0) for name in ("length_penalty", "coverage_penalty"))
    for found in search(random_model(), sources(LENGTHS), keep_weights=True):
        for hypothesis in found:
            covered = hypothesis.weights.sum(dim=0).clamp(max=1.0).log().sum().item()
            normalized = hypothesis.log_prob / ((5 + len(tokens(hypothesis))) / 6) ** length_penalty
            assert hypothesis.score == pytest.approx(normalized + coverage_penalty * covered, abs=1e-5)


def test_the_length_keeps_its_bounds(search: Search) -> None:
    given = sources(LENGTHS)
    caps = [int(search.max_length_ratio * length + search.max_length_offset) for length in LENGTHS]
    assert search.length_caps(given["source"].lengths).tolist() == caps
    for cap, found in zip(caps, search(random_model(spread=3.0), given), strict=True):
        for hypothesis in found:
            assert min(search.min_length, cap) <= len(tokens(hypothesis)) <= cap
            assert hypothesis.finished or len(hypothesis.token_ids) == cap


@pytest.mark.parametrize(("size", "min_length"), [(1, 4), (2, 9), (3, 12)])
def test_no_ngram_stands_twice(kind: type[Search], size: int, min_length: int) -> None:
    """In outputs so long that it is hard not to repeat: of single tokens EOS is all that is left in the end."""
    options = {"min_length": min_length, "max_length_ratio": 0.0, "max_length_offset": 15}
    free, barred = (kind(no_repeat_ngram=n, **options)(random_model(), sources(LENGTHS)) for n in (0, size))
    assert any(repeats(h, size) for found in free for h in found), "nothing had to be barred"
    for found in barred:
        for hypothesis in found:
            assert not repeats(hypothesis, size)


def repeats(hypothesis: Hypothesis, size: int) -> bool:
    ngrams = list(zip(*(hypothesis.token_ids[start:] for start in range(size)), strict=False))
    return len(set(ngrams)) < len(ngrams)


def test_forced_prefixes_stand_at_the_front(search: Search) -> None:
    """Each sentence has its own or none; what comes is as likely as the model holds it."""
    model = random_model()
    prefixes = [[A, A], [], [B, A, C], [C, C, C], [B]]
    ids = torch.tensor([[*prefix, *[FREE] * (3 - len(prefix))] for prefix in prefixes])
    given = sources(LENGTHS)
    together = search(ForcedPrefix(model, ids), given, keep_weights=True)
    for row, found in enumerate(together):
        assert found
        for hypothesis in found:
            assert hypothesis.token_ids[: len(prefixes[row])] == prefixes[row]
            assert hypothesis.log_prob == pytest.approx(model.log_prob(row, tokens(hypothesis)), abs=1e-5)
        (expected,) = search(ForcedPrefix(model, ids[row : row + 1]), alone(given, row), keep_weights=True)
        assert_same(found, expected)


def test_behind_its_prefix_an_output_is_free() -> None:
    """Behind the longest of a batch too."""
    prefixes = [[A, A], [], [B, A, C], [C, C, C], [B]]
    ids = torch.tensor([[*prefix, *[FREE] * (3 - len(prefix))] for prefix in prefixes])
    model = ForcedPrefix(random_model(), ids)
    encoded, state = model.start(sources(LENGTHS))
    tokens = torch.full((len(prefixes),), BOS)
    for t in range(5):
        log_probs, _, state = model.step(tokens, encoded, state)
        possible = log_probs.isfinite().sum(dim=1).tolist()
        assert possible == [1 if t < len(prefix) else 4 for prefix in prefixes]  # A, B, C and EOS
        tokens = torch.tensor([prefix[t] if t < len(prefix) else B for prefix in prefixes])


def test_weights_are_those_of_the_hypothesis(search: Search) -> None:
    model = random_tables(len(LENGTHS), 0)
    for row, found in enumerate(search(model, sources(LENGTHS), keep_weights=True)):
        for hypothesis in found:
            path = [NOTHING, BOS, *tokens(hypothesis)]
            seen = torch.tensor([code(row, before, last) for before, last in pairwise(path[:-1])])
            expected = seen.unsqueeze(1) + torch.arange(LENGTHS[row]) / 10
            torch.testing.assert_close(hypothesis.weights, expected)


def test_weights_are_kept_only_when_asked_for(search: Search) -> None:
    found = search(random_tables(len(LENGTHS), 0), sources(LENGTHS))
    assert all(h.weights is None for hypotheses in found for h in hypotheses)


def test_sentences_leave_the_batch(kind: type[Search]) -> None:
    model, search = random_model(), kind(max_length_ratio=1.0, max_length_offset=2)
    search(model, sources(LENGTHS))
    assert model.steps[-1] < max(model.steps)
    assert len(model.steps) <= search.length_caps(torch.tensor(LENGTHS)).max()


def test_a_search_repeats_itself(search: Search) -> None:
    once, again = (search(random_tables(len(LENGTHS), 0), sources(LENGTHS)) for _ in range(2))
    assert once == again
