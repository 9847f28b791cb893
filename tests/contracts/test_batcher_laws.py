"""What every batcher obeys; each is built from its constructor's types, so a new one cannot be missed."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from itertools import chain
from random import Random
from typing import ClassVar, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s_lit.data.batching.batchers import Batcher
from support.parts import concrete_subclasses

BATCHERS = concrete_subclasses(Batcher, "s2s_lit.data")
POOL = 50  # most examples that a batcher may hold back, beside those of one batch


class Item(NamedTuple):
    number: int
    lengths: tuple[int, ...]


class Machine:
    """Where a batch of 60 positions fits."""

    positions: ClassVar[dict[str, int]] = {"target": 10, "source": 10}
    free = 600

    def needed(self, examples: int) -> int:
        return 80 * examples


def fitted(batcher: Batcher) -> Batcher:
    """As training would find it."""
    batcher.fit(Machine())
    return batcher


def strategy(batcher: type[Batcher]) -> st.SearchStrategy[Batcher]:
    """The batcher with any settings: whole numbers, and other batchers beneath it."""
    hints = typing.get_type_hints(batcher.__init__)
    arguments: dict[str, st.SearchStrategy[object]] = {}
    for name, parameter in list(inspect.signature(batcher).parameters.items()):
        if hints[name] is int:
            arguments[name] = st.integers(1, POOL)
        elif hints[name] is Batcher:
            arguments[name] = st.one_of([strategy(other) for other in BATCHERS if other is not batcher])
        else:
            assert parameter.default is not parameter.empty, f"{batcher.__name__}.{name}: say here how it is drawn"
    return st.builds(batcher, **arguments).map(fitted)


length = st.integers(1, 40)
items = (
    st.integers(1, 3)  # fields
    .flatmap(lambda fields: st.lists(st.tuples(*[length] * fields), max_size=80))
    .map(lambda found: [Item(number, lengths) for number, lengths in enumerate(found)])
)
seeds = st.integers(0, 99)


@pytest.fixture(params=BATCHERS, ids=lambda cls: cls.__name__, scope="module")
def batchers(request: pytest.FixtureRequest) -> st.SearchStrategy[Batcher]:
    return strategy(request.param)


@given(st.data(), items, seeds)
def test_every_example_comes_exactly_once(
    batchers: st.SearchStrategy[Batcher], data: st.DataObject, items: list[Item], seed: int
) -> None:
    batches = list(data.draw(batchers)(items, Random(seed)))
    assert all(batches)
    assert sorted(chain(*batches)) == items


@given(st.data(), items, seeds)
def test_same_examples_and_random_state_give_the_same_batches(
    batchers: st.SearchStrategy[Batcher], data: st.DataObject, items: list[Item], seed: int
) -> None:
    batcher = data.draw(batchers)
    assert list(batcher(items, Random(seed))) == list(batcher(iter(items), Random(seed)))


@given(st.data(), items, seeds)
def test_the_number_of_steps_is_constant_where_it_is_said_to_be(
    batchers: st.SearchStrategy[Batcher], data: st.DataObject, items: list[Item], seed: int
) -> None:
    batcher = data.draw(batchers)
    if not batcher.constant_count:
        return

    def steps(items: list[Item], rng: Random) -> int:
        return sum(len(list(batcher.windows(batch))) for batch in batcher(items, rng))

    assert steps(items, Random(0)) == steps(Random(seed).sample(items, len(items)), Random(seed))


@given(st.data(), items, seeds)
def test_windows_show_every_target_position_once_and_in_turn(
    batchers: st.SearchStrategy[Batcher], data: st.DataObject, items: list[Item], seed: int
) -> None:
    batcher = data.draw(batchers)
    for batch in batcher(items, Random(seed)):
        seen: dict[Item, list[int]] = {item: [] for item in batch}
        windows = list(batcher.windows(batch))
        for before, window in zip([None, *windows], windows, strict=False):
            assert window.examples
            if before is None:
                assert window.continues is None
                assert window.examples == batch
            else:
                assert [before.examples[row] for row in window.continues] == window.examples
            assert window.goes_on == (window is not windows[-1])
            assert window.input_sizes == windows[0].input_sizes
            for item in window.examples:
                seen[item] += range(item.lengths[0])[window.start : window.stop]
        assert all(positions == list(range(item.lengths[0])) for item, positions in seen.items())


@given(st.data())
def test_an_endless_stream_needs_a_bounded_pool_only(batchers: st.SearchStrategy[Batcher], data: st.DataObject) -> None:
    read = 0

    def endless() -> Iterator[Item]:
        nonlocal read
        while True:
            read += 1
            yield Item(read, (read % 7 + 1, read % 9 + 1))

    batches = data.draw(batchers)(endless(), Random(0))
    given_out = 0
    for _ in range(8):
        given_out += len(next(batches))
        assert read <= given_out + 2 * POOL
