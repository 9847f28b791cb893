from __future__ import annotations

import torch

from s2s_lit.data.batching.collate import collate
from s2s_lit.types import BOS, EOS, PAD, Example


def test_pads_shifts_and_keeps_texts() -> None:
    batch = collate([Example([7, 8, EOS], [5], "a b", "x", 4), Example([9, EOS], [5, 6, 7], "c", "x y z", 2)])
    assert batch.source_ids.tolist() == [[7, 8, EOS], [9, EOS, PAD]]
    assert batch.source_lengths.tolist() == [3, 2]
    assert batch.target_input_ids.tolist() == [[BOS, 5, PAD, PAD], [BOS, 5, 6, 7]]
    assert batch.target_ids.tolist() == [[5, EOS, PAD, PAD], [5, 6, 7, EOS]]
    assert batch.target_lengths.tolist() == [2, 4]
    assert batch.source_texts == ("a b", "c")
    assert batch.target_texts == ("x", "x y z")
    assert batch.rows == (4, 2)
    assert {t.dtype for t in (batch.source_ids, batch.source_lengths, batch.target_ids)} == {torch.int64}


def test_an_empty_target_is_its_end_mark() -> None:
    batch = collate([Example([EOS], [], "", "")])
    assert batch.target_input_ids.tolist() == [[BOS]]
    assert batch.target_ids.tolist() == [[EOS]]
    assert batch.target_mask.tolist() == [[True]]
