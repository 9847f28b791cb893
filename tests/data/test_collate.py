from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from s2s_lit.data.batching.batchers import Window
from s2s_lit.data.batching.collate import collate, collate_window
from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.fields.text import TextField
from s2s_lit.text.words import Words
from s2s_lit.types import BOS, EOS, PAD, Example, Sequences, Target

PAIRS = Fields({"source": TextField(), "target": TextField()}, tokenizer=Words())
TWO_INPUTS = Fields({name: TextField() for name in ("question", "passage", "target")}, tokenizer=Words())
ALONE = Fields({"target": TextField()}, tokenizer=Words())
targets = st.lists(st.lists(st.integers(4, 9), max_size=6), min_size=1, max_size=5)


def pair(source: list[int], target: list[int], texts: tuple[str, str], row: int = 0) -> Example:
    return Example({"source": source}, target, dict(zip(PAIRS, texts, strict=True)), (texts[1],), row)


def test_pads_shifts_and_keeps_texts() -> None:
    examples = [pair([7, 8, EOS], [5], ("a b", "x"), 4), pair([9, EOS], [5, 6, 7], ("c", "x y z"), 2)]
    batch = collate(examples, PAIRS)
    source = batch.inputs["source"]
    assert source.values.tolist() == [[7, 8, EOS], [9, EOS, PAD]]
    assert source.lengths.tolist() == [3, 2]
    assert source.mask.tolist() == [[True, True, True], [True, True, False]]
    assert batch.target.inputs.tolist() == [[BOS, 5, PAD, PAD], [BOS, 5, 6, 7]]
    assert batch.target.ids.tolist() == [[5, EOS, PAD, PAD], [5, 6, 7, EOS]]
    assert batch.target.lengths.tolist() == [2, 4]
    assert batch.target.tokens.tolist() == [5, EOS, 5, 6, 7, EOS]
    assert batch.texts == ({"source": "a b", "target": "x"}, {"source": "c", "target": "x y z"})
    assert batch.references == (("x",), ("x y z",))
    assert batch.rows == (4, 2)
    assert len(batch) == 2
    tensors = (source.values, source.lengths, batch.target.inputs, batch.target.ids, batch.target.lengths)
    assert {tensor.dtype for tensor in tensors} == {torch.int64}


def test_an_empty_target_is_its_end_mark() -> None:
    batch = collate([pair([EOS], [], ("", ""))], PAIRS)
    assert batch.target.inputs.tolist() == [[BOS]]
    assert batch.target.ids.tolist() == [[EOS]]
    assert batch.target.mask.tolist() == [[True]]


def test_each_input_is_padded_for_itself() -> None:
    examples = [
        Example({"question": [7, EOS], "passage": [5, 6, 7, 8, EOS]}, [9], {}),
        Example({"question": [7, 8, EOS], "passage": [EOS]}, [], {}),
    ]
    batch = collate(examples, TWO_INPUTS)
    assert list(batch.inputs) == ["question", "passage"]
    assert batch.inputs["question"].values.tolist() == [[7, EOS, PAD], [7, 8, EOS]]
    assert batch.inputs["passage"].values.tolist() == [[5, 6, 7, 8, EOS], [EOS, PAD, PAD, PAD, PAD]]
    assert [each.lengths.tolist() for each in batch.inputs.values()] == [[2, 3], [5, 1]]
    assert [example.lengths for example in examples] == [(2, 2, 5), (1, 3, 1)]


def test_each_input_of_a_window_has_its_own_least_width() -> None:
    examples = [Example({"question": [EOS], "passage": [7, EOS]}, [5, 6, 7], {})]
    batch = collate_window(Window(examples, 1, 3, input_sizes=(4, 3)), TWO_INPUTS)
    assert {name: tuple(each.values.shape) for name, each in batch.inputs.items()} == {
        "question": (1, 4), "passage": (1, 3),
    }  # fmt: skip
    assert batch.target.inputs.tolist() == [[5, 6]]
    assert batch.target.ids.tolist() == [[6, 7]]


def test_a_batch_without_inputs_has_its_size() -> None:
    batch = collate([Example({}, [5, 6], {}), Example({}, [], {})], ALONE)
    assert (len(batch), dict(batch.inputs)) == (2, {})
    assert batch.target.ids.tolist() == [[5, 6, EOS], [EOS, PAD, PAD]]


@given(targets, st.integers(0, 3), st.integers(0, 9))
def test_a_target_of_its_tokens_is_that_of_the_collation(targets: list[list[int]], extra: int, fill: int) -> None:
    wanted = collate([Example({}, target, {}) for target in targets], ALONE).target
    size = max(map(len, targets)) + extra
    values = torch.tensor([target + [fill] * (size - len(target)) for target in targets], dtype=torch.long)
    found = Target.of(Sequences(values.reshape(len(targets), size), torch.tensor([len(target) for target in targets])))
    width = wanted.ids.shape[1]
    for name in ("inputs", "ids"):
        assert torch.equal(getattr(found, name)[:, :width], getattr(wanted, name))
        assert not (getattr(found, name)[:, width:] != PAD).any()  # whatever filled the tokens
    assert torch.equal(found.lengths, wanted.lengths)
    assert found.tokens.tolist() == wanted.tokens.tolist()
