"""What is particular to one batcher; what all obey stands in contracts/test_batcher_laws.py."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s_lit.data.batching.batchers import Batcher, FixedSize, LengthBuckets, TokenBudget
from s2s_lit.errors import UserError


class Item(NamedTuple):
    number: int
    lengths: tuple[int, ...]


length = st.integers(1, 40)
items = (
    st.integers(1, 3)  # fields
    .flatmap(lambda fields: st.lists(st.tuples(*[length] * fields), max_size=80))
    .map(lambda found: [Item(number, lengths) for number, lengths in enumerate(found)])
)
size = st.integers(1, 12)
seeds = st.integers(0, 99)


@given(size, st.integers(1, 50), items, seeds)
def test_fixed_sizes_hold_but_for_one_batch(size: int, pool: int, items: list[Item], seed: int) -> None:
    for batcher in (FixedSize(size=size), LengthBuckets(size=size, pool=pool)):
        sizes = [len(batch) for batch in batcher(items, Random(seed))]
        assert max(sizes, default=0) <= size
        assert sum(n < size for n in sizes) <= 1


@given(st.integers(1, 200), st.integers(1, 50), items, seeds)
def test_token_budget_holds_with_padding(max_tokens: int, pool: int, items: list[Item], seed: int) -> None:
    for batch in TokenBudget(max_tokens=max_tokens, pool=pool)(items, Random(seed)):
        longest = max(max(item.lengths) for item in batch)
        assert len(batch) * longest <= max_tokens or len(batch) == 1


@pytest.mark.parametrize("lengths", [(10,), (10, 10), (1, 10), (3, 10, 5), (3, 5, 10)])
def test_token_budget_is_used_by_the_longest_field(lengths: tuple[int, ...]) -> None:
    items = [Item(i, lengths) for i in range(100)]
    assert [len(batch) for batch in TokenBudget(max_tokens=105)(items, Random(0))] == [10] * 10


def test_a_long_sentence_does_not_shrink_the_batches_after_it() -> None:
    items = [Item(0, (1, 30)), *(Item(i, (2, 1)) for i in range(1, 31))]
    assert sorted(len(batch) for batch in TokenBudget(max_tokens=30)(items, Random(0))) == [1, 15, 15]


def test_buckets_pad_less_than_the_order_of_the_file() -> None:
    rng = Random(0)
    items = [Item(i, (n, n)) for i, n in enumerate(rng.choices(range(1, 40), k=400))]

    def padded(batcher: Batcher) -> int:
        return sum(len(b) * max(item.lengths[0] for item in b) for b in batcher(items, Random(0)))

    assert padded(LengthBuckets(size=10, pool=400)) < 0.65 * padded(FixedSize(size=10))


def test_buckets_do_not_come_by_length() -> None:
    items = [Item(i, (i, i)) for i in range(1, 101)]
    firsts = [batch[0].number for batch in LengthBuckets(size=5, pool=100)(items, Random(0))]
    assert firsts != sorted(firsts)


@pytest.mark.parametrize("size", [0, -1])
def test_refuses_sizes_below_one(size: int) -> None:
    for build in (lambda: FixedSize(size=size), lambda: LengthBuckets(size=size), lambda: TokenBudget(max_tokens=size)):
        with pytest.raises(UserError, match="at least 1"):
            build()
