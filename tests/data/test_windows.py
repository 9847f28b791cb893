from __future__ import annotations

import pytest
import torch

from s2s_lit.data.batching.batchers import FixedSize
from s2s_lit.data.batching.collate import collate, collate_window
from s2s_lit.data.batching.windows import TimeStepWindows
from s2s_lit.errors import UserError
from s2s_lit.types import BOS, EOS, PAD, Batch, Example

EXAMPLES = [
    Example([9, EOS], [11, 12, 13], "a", "x", 0),
    Example([9, 9, 9, EOS], [], "b", "", 1),
    Example([EOS], [21, 22, 23, 24, 25], "c", "z", 2),
    Example([9, EOS], [31], "d", "u", 3),
]


def windows(size: int) -> list[Batch]:
    batcher = TimeStepWindows(batcher=FixedSize(size=9), size=size)
    return [collate_window(window) for window in batcher.windows(EXAMPLES)]


def test_a_window_starts_with_the_token_before_it_and_leaves_out_what_has_ended() -> None:
    first, second, third = windows(2)
    assert first.target_input_ids.tolist() == [[BOS, 11], [BOS, PAD], [BOS, 21], [BOS, 31]]
    assert first.target_ids.tolist() == [[11, 12], [EOS, PAD], [21, 22], [31, EOS]]
    assert first.target_lengths.tolist() == [2, 1, 2, 2]
    assert first.continues is None
    assert second.target_input_ids.tolist() == [[12, 13], [22, 23]]
    assert second.target_ids.tolist() == [[13, EOS], [23, 24]]
    assert second.continues is not None
    assert second.continues.tolist() == [0, 2]
    assert (second.rows, second.source_texts) == ((0, 2), ("a", "c"))
    assert third.target_input_ids.tolist() == [[24, 25]]
    assert third.target_ids.tolist() == [[25, EOS]]
    assert third.continues is not None
    assert third.continues.tolist() == [1]
    assert [batch.goes_on for batch in (first, second, third)] == [True, True, False]


def test_sources_are_as_wide_in_all_windows_as_states_over_them_need() -> None:
    assert [batch.source_ids.shape[1] for batch in windows(2)] == [4, 4, 4]
    assert windows(2)[2].source_lengths.tolist() == [1]


@pytest.mark.parametrize("size", [6, 7, 1000])
def test_a_window_as_long_as_the_longest_target_is_the_plain_batch(size: int) -> None:
    (window,) = windows(size)
    plain = collate(EXAMPLES)
    for name in ("source_ids", "source_lengths", "target_input_ids", "target_ids", "target_lengths"):
        assert torch.equal(getattr(window, name), getattr(plain, name))
    assert (window.rows, window.continues, window.goes_on) == (plain.rows, None, False)


def test_windows_that_end_with_the_longest_target_are_not_followed_by_an_empty_one() -> None:
    assert [len(batch) for batch in windows(3)] == [4, 2]
    assert [len(batch) for batch in windows(1)] == [4, 3, 2, 2, 1, 1]


def test_refuses_a_size_below_one() -> None:
    with pytest.raises(UserError, match="at least 1"):
        TimeStepWindows(batcher=FixedSize(size=1), size=0)
