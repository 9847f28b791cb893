from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from s2s_lit.tracking.records.samples import SAMPLE_COLUMNS, FixedSamples, sample_rows
from s2s_lit.types import Prediction


def prediction(source: str, row: int = 0) -> Prediction:
    return Prediction({"source": source}, (source.upper(),), f"<{source}>", [source], [source], -1.23456, row=row)


def picked(sources: list[str], size: int) -> list[str]:
    samples = FixedSamples(size=size)
    for source in sources:
        samples.add(prediction(source))
    return [p.source for p in samples.sorted()]


@given(st.lists(st.text(max_size=5), max_size=60), st.integers(0, 9), st.randoms(use_true_random=False))
def test_the_same_sentences_whatever_the_order(sources: list[str], size: int, shuffle: random.Random) -> None:
    first = picked(sources, size)
    assert len(first) == len(set(first)) == min(size, len(set(sources)))
    shuffled = list(sources)
    shuffle.shuffle(shuffled)
    assert picked(shuffled, size) == first
    assert picked([*sources, *sources], size) == first


def test_a_smaller_choice_is_the_beginning_of_a_larger_one() -> None:
    sources = [f"sentence {i}" for i in range(500)]
    assert picked(sources, 20)[:8] == picked(sources, 8)


def test_rows() -> None:
    assert sample_rows([prediction("größer")], 7) == [[7, "größer", "GRÖSSER", "<größer>", -1.2346]]
    assert len(SAMPLE_COLUMNS) == 5
