"""Laws of every metric on texts; the metrics are found in the package, so that a new one cannot miss them."""

from __future__ import annotations

import inspect
import math
import pickle
import random
import warnings
from collections.abc import Sequence

import pytest
import torch

from s2s_lit.metrics.text import TextMetric
from support.parts import concrete_subclasses

METRICS = concrete_subclasses(TextMetric, "s2s_lit.metrics")
REFERENCES = [
    "Ein Mann mit einem großen Hund geht durch den Park.",
    "Zwei Kinder spielen im Schnee, während ihre Mutter zusieht.",
    "Die Frau, die gestern angerufen hat, wohnt in Köln.",
    "Er steht um 7:30 Uhr auf.",
    "Das ist nicht 'mein' Fahrrad!",
    "Hunde bellen.",
    "",
    "Über den Dächern fliegt ein Vogel – schnell & leise.",
]
HYPOTHESES = [
    "Ein Mann geht mit einem großen Hund durch den Park.",
    "Zwei Kinder spielen im Schnee während die Mutter zusieht.",
    "Die Frau wohnt in Köln, die gestern angerufen hat.",
    "Er steht um 7:30 Uhr auf.",
    "",
    "Ein Hund bellt laut.",
    "Nichts.",
    "über den Dächern fliegen Vögel.",
]


def alone(references: Sequence[str]) -> list[list[str]]:
    """Each as the only reference."""
    return [[reference] for reference in references]


@pytest.fixture(params=METRICS, ids=lambda found: found.__name__)
def kind(request: pytest.FixtureRequest) -> type[TextMetric]:
    return request.param


def score(metric: TextMetric, hypotheses: list[str], references: list[str]) -> float:
    metric.update(hypotheses, alone(references))
    return metric.compute().item()


def test_there_are_metrics_with_names_of_their_own() -> None:
    names = [found.name for found in METRICS]
    assert {"bleu", "chrf", "ter", "edit_distance", "wer", "cer", "rouge1", "rouge2", "rougeL"} <= set(names)
    assert {"exact_match", "f1"} <= set(names)
    assert len(set(names)) == len(names)


def test_says_how_it_is_logged_and_printed(kind: type[TextMetric]) -> None:
    (score,) = kind().scores
    assert score.name == kind.name
    assert score.label
    assert "12" in score.printed(12.0)
    assert score.higher_is_better == kind.higher_is_better


def test_options_are_keywords_with_defaults_and_documented(kind: type[TextMetric]) -> None:
    for name, parameter in inspect.signature(kind).parameters.items():
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.default is not parameter.empty
        assert f"{name}:" in inspect.getdoc(kind).partition("Args:")[2]


def test_states_are_sums(kind: type[TextMetric]) -> None:
    metric = kind()
    assert metric._reductions
    assert all(
        reduction is torch.sum or reduction.__name__ == "dim_zero_sum" for reduction in metric._reductions.values()
    )
    assert all(state.dtype == torch.int64 and not state.any() for state in metric._defaults.values())


def test_says_whether_more_is_better(kind: type[TextMetric]) -> None:
    perfect, poor = score(kind(), REFERENCES, REFERENCES), score(kind(), HYPOTHESES, REFERENCES)
    assert perfect != poor
    assert (perfect > poor) == kind.higher_is_better


@pytest.mark.parametrize("seed", range(5))
def test_batches_in_any_split_and_order_add_up(kind: type[TextMetric], seed: int) -> None:
    pairs, draw = list(zip(HYPOTHESES, REFERENCES, strict=True)), random.Random(seed)
    draw.shuffle(pairs)
    metric = kind()
    while pairs:
        size = draw.randint(0, 3)
        batch, pairs = pairs[:size], pairs[size:]
        metric.update([hypothesis for hypothesis, _ in batch], [[reference] for _, reference in batch])
    assert metric.compute().item() == score(kind(), HYPOTHESES, REFERENCES)


@pytest.mark.parametrize("cut", [0, 3, 8])
def test_states_of_processes_add_up(kind: type[TextMetric], cut: int) -> None:
    first, second, merged = kind(), kind(), kind()
    first.update(HYPOTHESES[:cut], alone(REFERENCES[:cut]))
    second.update(HYPOTHESES[cut:], alone(REFERENCES[cut:]))
    for name in merged._defaults:
        getattr(merged, name).add_(getattr(first, name) + getattr(second, name))
    assert merged.sums.any()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torchmetrics saw no update of the merged one
        assert merged.compute().item() == score(kind(), HYPOTHESES, REFERENCES)


def test_nothing_has_no_score(kind: type[TextMetric]) -> None:
    assert math.isnan(score(kind(), [], []))


def test_empty_texts_have_one(kind: type[TextMetric]) -> None:
    for hypothesis, reference in (("", ""), ("", "Ja."), ("Ja.", "")):
        assert math.isfinite(score(kind(), [hypothesis], [reference]))


def test_every_hypothesis_needs_its_reference(kind: type[TextMetric]) -> None:
    with pytest.raises(ValueError, match="shorter"):
        kind().update(["a", "b"], [["a"]])


def test_reset_forgets(kind: type[TextMetric]) -> None:
    metric = kind()
    metric.update(HYPOTHESES, alone(REFERENCES))
    metric.reset()
    assert score(metric, HYPOTHESES[:2], REFERENCES[:2]) == score(kind(), HYPOTHESES[:2], REFERENCES[:2])


def test_a_copy_goes_on_where_it_was(kind: type[TextMetric]) -> None:
    metric = kind()
    metric.update(HYPOTHESES[:4], alone(REFERENCES[:4]))
    for copy in (pickle.loads(pickle.dumps(metric)), metric.clone()):
        assert score(copy, HYPOTHESES[4:], REFERENCES[4:]) == score(kind(), HYPOTHESES, REFERENCES)


def test_the_signature_does_not_depend_on_what_was_scored(kind: type[TextMetric]) -> None:
    metric = kind()
    before = metric.signature()
    metric.update(HYPOTHESES, alone(REFERENCES))
    assert before
    assert metric.signature() == before
