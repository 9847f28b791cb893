"""Examples to one padded batch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from s2s_lit.data.batching.batchers import Window
from s2s_lit.types import BOS, EOS, PAD, Batch, Example


def collate(examples: Sequence[Example]) -> Batch:
    """Pads with PAD behind the longest source and the longest target; BOS and EOS join the target here."""
    return collate_window(Window(list(examples)))


def collate_window(window: Window[Example]) -> Batch:
    """The same for the target positions of a window; sources are padded alike in all windows of a batch."""
    examples, shown = window.examples, slice(window.start, window.stop)
    source_ids, source_lengths = _pad([example.source_ids for example in examples], window.source_size)
    target_input_ids, target_lengths = _pad([[BOS, *example.target_ids][shown] for example in examples])
    target_ids, _ = _pad([[*example.target_ids, EOS][shown] for example in examples])
    return Batch(
        source_ids=source_ids,
        source_lengths=source_lengths,
        target_input_ids=target_input_ids,
        target_ids=target_ids,
        target_lengths=target_lengths,
        source_texts=tuple(example.source_text for example in examples),
        target_texts=tuple(example.target_text for example in examples),
        rows=tuple(example.row for example in examples),
        continues=None if window.continues is None else torch.tensor(window.continues),
        goes_on=window.goes_on,
    )


def _pad(sequences: list[list[int]], size: int = 0) -> tuple[Tensor, Tensor]:
    """[B] lists -> ids [B, longest or `size`] and lengths [B]; one pass over all ids, no loop over sentences."""
    lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
    ids = np.full((len(sequences), max(int(lengths.max()), size)), PAD, np.int64)
    ids[np.arange(ids.shape[1]) < lengths[:, None]] = np.fromiter(chain(*sequences), np.int64, int(lengths.sum()))
    return torch.from_numpy(ids), torch.from_numpy(lengths)
