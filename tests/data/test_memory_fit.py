from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from s2s_lit.data.batching.batchers import FixedSize
from s2s_lit.data.batching.memory_fit import MemoryFit
from s2s_lit.data.batching.windows import TimeStepWindows
from s2s_lit.errors import UserError


@dataclass
class Machine:
    """A step takes `fixed` bytes and `each` for an example, at least `least`."""

    fixed: int = 0
    each: int = 100
    least: int = 0
    free: int = 100_000
    positions: dict[str, int] = field(default_factory=lambda: {"source": 20, "target": 10})
    tried: int = 0

    def needed(self, examples: int) -> int:
        self.tried = max(self.tried, examples)
        return max(self.fixed + self.each * examples, self.least)


sizes = st.integers(0, 10**6)


@example(237857, 1, 0, 0.001)
@given(sizes, st.integers(1, 10**5), sizes, st.floats(0.001, 1.0))
def test_batches_fill_the_memory_and_never_more(fixed: int, each: int, least: int, memory_gb: float) -> None:
    machine = Machine(fixed, each, least)
    batcher = MemoryFit(memory_gb=memory_gb, share=1.0)
    limit = memory_gb * 1e9
    if machine.needed(1) > limit:
        with pytest.raises(UserError, match="may be used"):
            batcher.fit(machine)
        return
    chosen = batcher.fit(machine)
    sentences = chosen["max_tokens"] // 20
    assert machine.needed(sentences) <= limit
    assert machine.needed(machine.tried) <= limit  # nor does the trial itself
    if max(fixed, least) <= limit / 10:
        assert machine.needed(int(1.3 * sentences) + 2) > limit


def test_the_share_is_of_what_is_free_or_given() -> None:
    assert MemoryFit().fit(Machine())["max_tokens"] == 16_000
    assert MemoryFit(share=0.5).fit(Machine()) == {"max_tokens": 10_000, "bytes_per_token": 5}
    assert MemoryFit(share=0.5, memory_gb=1e-5).fit(Machine())["max_tokens"] == 1_000


def test_the_chosen_budget_holds_for_the_batches() -> None:
    batcher = MemoryFit(share=1.0)
    with pytest.raises(RuntimeError, match="fit"):
        batcher([], Random(0))
    batcher.fit(Machine(free=600))  # 120 tokens
    items = [Item((5, 10))] * 30
    assert sorted(len(batch) for batch in batcher(items, Random(0))) == [6, 12, 12]


@dataclass(frozen=True)
class Item:
    lengths: tuple[int, ...]


def test_a_memory_that_is_too_small_is_the_users_to_mend() -> None:
    with pytest.raises(UserError, match=r"one example of 20 \+ 10 positions needs 2e\+03 GB .* 1.6 GB may be used"):
        MemoryFit(memory_gb=2.0).fit(Machine(least=2 * 10**12))


def test_windows_leave_the_choice_to_what_is_beneath() -> None:
    beneath = MemoryFit()
    assert TimeStepWindows(batcher=beneath, size=3).fit(Machine()) == beneath.fit(Machine())
    assert TimeStepWindows(batcher=FixedSize(size=4), size=3).fit(Machine()) == {}


@pytest.mark.parametrize(("name", "value"), [("memory_gb", 0.0), ("memory_gb", -1.0), ("share", 0.0), ("share", 1.1)])
def test_refuses_settings_without_a_meaning(name: str, value: float) -> None:
    with pytest.raises(UserError, match=f"data.batcher.{name}"):
        MemoryFit(**{name: value})
