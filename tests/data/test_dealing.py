"""What each of several processes is given: everything once, in equally many steps of about the same work."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2s_lit.data.batching.batchers import Batcher, FixedSize, LengthBuckets, TokenBudget
from s2s_lit.data.loading.dealing import Share
from s2s_lit.types import Batch
from support.loaders import BATCHERS, KINDS, kept, make, order, tokens
from support.ranks import each_rank


@pytest.mark.parametrize("kind", KINDS)
@given(
    batcher=st.sampled_from(BATCHERS),
    count=st.integers(1, 70),
    shards=st.integers(1, 5),
    ranks=st.integers(2, 4),
    pool=st.integers(1, 40),
    shuffle=st.booleans(),
)
@settings(max_examples=30)
def test_ranks_share_all_rows_in_equally_many_steps(
    kind: str, batcher: Batcher, count: int, shards: int, ranks: int, pool: int, shuffle: bool
) -> None:
    def epochs(share: Share) -> list[list[Batch]]:
        loader = make(kind, batcher, count=count, shards=shards, pool=pool, shuffle=shuffle, share=share)
        return [list(loader), list(loader)]

    of_rank = each_rank(ranks, epochs)
    alone = epochs(Share())
    for epoch in range(2):
        steps = [batches[epoch] for batches in of_rank]
        assert sum(map(tokens, steps)) == tokens(alone[epoch])
        assert len(set(map(len, steps))) == 1
        assert all(not all(batch.is_idle for batch in step) for step in zip(*steps, strict=True))
        rows = [row for batches in steps for batch in batches if batch.continues is None for row in batch.rows]
        assert len(rows) == len(set(rows)) == len(kept(count))
    orders = [[order(batches[epoch]) for batches in of_rank] for epoch in range(2)]
    if not shuffle:
        assert orders[0] == orders[1]
    elif count > 40 and pool > 5:
        assert orders[0] != orders[1]


@pytest.mark.parametrize("kind", KINDS)
def test_ranks_evaluate_the_batches_of_one_process(kind: str) -> None:
    batcher = LengthBuckets(size=4, pool=12)
    whole = order(make(kind, batcher, shuffle=False, pool=24))
    ranks = each_rank(2, lambda share: order(make(kind, batcher, shuffle=False, pool=24, share=share)))
    assert sorted(rows for rank in ranks for rows in rank if rows) == sorted(whole)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "batcher",
    [LengthBuckets(size=2, pool=99), TokenBudget(max_tokens=24), FixedSize(size=2)],
    ids=["length", "tokens", "as they come"],
)
def test_ranks_have_about_the_same_work_at_each_step(kind: str, batcher: Batcher) -> None:
    def work(batch: Batch) -> int:
        values = (batch.inputs["source"].values, batch.target.ids)
        return 0 if batch.is_idle else sum(each.numel() for each in values)

    def steps(share: Share) -> list[int]:
        return list(map(work, make(kind, batcher, count=400, pool=400, shards=2, share=share)))

    first, second = each_rank(2, steps)
    waited = sum(abs(one - other) for one, other in zip(first, second, strict=True))
    by_chance = sum(abs(one - other) for one, other in zip(first, second[1:] + second[:1], strict=True))
    assert waited < by_chance / 2
    assert first not in (sorted(first), sorted(first, reverse=True))


def test_ranks_read_shards_of_their_own_where_these_go_round() -> None:
    def read(share: Share) -> set[int]:
        return {row >> 32 for rows in order(make("stream", FixedSize(size=4), shards=5, share=share)) for row in rows}

    first, second = each_rank(2, read)
    assert len(first & second) == 1  # of five shards both read one
    assert first | second == set(range(5))


def test_all_ranks_report_what_they_read_together() -> None:
    def reported(share: Share) -> dict[str, object]:
        loader = make("stream", FixedSize(size=4), share=share, shuffle=shuffle)
        list(loader)
        return loader.report.as_dict()

    for shuffle in (True, False):
        one = make("stream", FixedSize(size=4), shuffle=shuffle)
        list(one)
        assert each_rank(2, reported) == [one.report.as_dict()] * 2
