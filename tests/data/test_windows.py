from __future__ import annotations

import pytest
import torch

from s2s_lit.data.batching.batchers import FixedSize
from s2s_lit.data.batching.collate import collate, collate_window
from s2s_lit.data.batching.windows import TimeStepWindows
from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.fields.text import TextField
from s2s_lit.errors import UserError
from s2s_lit.text.words import Words
from s2s_lit.types import BOS, EOS, PAD, Batch, Example

FIELDS = Fields({"source": TextField(), "target": TextField()}, tokenizer=Words())
EXAMPLES = [
    Example({"source": source}, target, {"source": text, "target": ""}, ("",), row)
    for row, (source, target, text) in enumerate(
        [
            ([9, EOS], [11, 12, 13], "a"),
            ([9, 9, 9, EOS], [], "b"),
            ([EOS], [21, 22, 23, 24, 25], "c"),
            ([9, EOS], [31], "d"),
        ]
    )
]


def windows(size: int) -> list[Batch]:
    batcher = TimeStepWindows(batcher=FixedSize(size=9), size=size)
    return [collate_window(window, FIELDS) for window in batcher.windows(EXAMPLES)]


def test_a_window_starts_with_the_token_before_it_and_leaves_out_what_has_ended() -> None:
    first, second, third = windows(2)
    assert first.target.inputs.tolist() == [[BOS, 11], [BOS, PAD], [BOS, 21], [BOS, 31]]
    assert first.target.ids.tolist() == [[11, 12], [EOS, PAD], [21, 22], [31, EOS]]
    assert first.target.lengths.tolist() == [2, 1, 2, 2]
    assert first.continues is None
    assert second.target.inputs.tolist() == [[12, 13], [22, 23]]
    assert second.target.ids.tolist() == [[13, EOS], [23, 24]]
    assert second.continues is not None
    assert second.continues.tolist() == [0, 2]
    assert (second.rows, [texts["source"] for texts in second.texts]) == ((0, 2), ["a", "c"])
    assert third.target.inputs.tolist() == [[24, 25]]
    assert third.target.ids.tolist() == [[25, EOS]]
    assert third.continues is not None
    assert third.continues.tolist() == [1]
    assert [batch.goes_on for batch in (first, second, third)] == [True, True, False]


def test_sources_are_as_wide_in_all_windows_as_states_over_them_need() -> None:
    assert [batch.inputs["source"].values.shape[1] for batch in windows(2)] == [4, 4, 4]
    assert windows(2)[2].inputs["source"].lengths.tolist() == [1]


@pytest.mark.parametrize("size", [6, 7, 1000])
def test_a_window_as_long_as_the_longest_target_is_the_plain_batch(size: int) -> None:
    (window,) = windows(size)
    plain = collate(EXAMPLES, FIELDS)
    for name in ("inputs", "ids", "lengths"):
        assert torch.equal(getattr(window.target, name), getattr(plain.target, name))
    for name in ("values", "lengths"):
        assert torch.equal(getattr(window.inputs["source"], name), getattr(plain.inputs["source"], name))
    assert (window.rows, window.continues, window.goes_on) == (plain.rows, None, False)


def test_windows_that_end_with_the_longest_target_are_not_followed_by_an_empty_one() -> None:
    assert [len(batch) for batch in windows(3)] == [4, 2]
    assert [len(batch) for batch in windows(1)] == [4, 3, 2, 2, 1, 1]


def test_several_inputs_are_each_as_wide_in_all_windows() -> None:
    fields = Fields({name: TextField() for name in ("question", "passage", "target")}, tokenizer=Words())
    examples = [
        Example({"question": [9, 9, EOS], "passage": [EOS]}, [5], {}),
        Example({"question": [EOS], "passage": [9, EOS]}, [5, 6, 7], {}),
    ]
    batcher = TimeStepWindows(batcher=FixedSize(size=9), size=2)
    batches = [collate_window(window, fields) for window in batcher.windows(examples)]
    assert [len(batch) for batch in batches] == [2, 1]
    widths = [{name: each.values.shape[1] for name, each in batch.inputs.items()} for batch in batches]
    assert widths == [{"question": 3, "passage": 2}] * 2
    assert batches[1].inputs["question"].values.tolist() == [[EOS, PAD, PAD]]


def test_targets_without_an_input_are_cut_too() -> None:
    fields = Fields({"target": TextField()}, tokenizer=Words())
    examples = [Example({}, [5, 6, 7], {}), Example({}, [8], {})]
    batcher = TimeStepWindows(batcher=FixedSize(size=9), size=2)
    first, second = (collate_window(window, fields) for window in batcher.windows(examples))
    assert first.target.ids.tolist() == [[5, 6], [8, EOS]]
    assert (second.target.ids.tolist(), len(second), dict(second.inputs)) == ([[7, EOS]], 1, {})


def test_refuses_a_size_below_one() -> None:
    with pytest.raises(UserError, match="at least 1"):
        TimeStepWindows(batcher=FixedSize(size=1), size=0)
