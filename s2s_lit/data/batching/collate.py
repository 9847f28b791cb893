"""Examples to one padded batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from s2s_lit.data.batching.batchers import Window
from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.fields.text import pad
from s2s_lit.types import BOS, EOS, Batch, Example, Inputs, Target


def collate(examples: Sequence[Example], fields: Fields) -> Batch:
    """Pads each field to its longest example; BOS and EOS join the target here."""
    return collate_window(Window(list(examples)), fields)


def collate_window(window: Window[Example], fields: Fields) -> Batch:
    """The same for the target positions of a window; inputs are padded alike in all windows of a batch."""
    examples, shown = window.examples, slice(window.start, window.stop)
    sizes = dict(zip(fields.inputs, window.input_sizes or [0] * len(fields), strict=False))
    inputs = {
        name: field.collate([example.inputs[name] for example in examples], sizes[name])
        for name, field in fields.inputs.items()
    }
    fed = pad([[BOS, *example.target][shown] for example in examples])
    predicted = pad([[*example.target, EOS][shown] for example in examples])
    return Batch(
        inputs=Inputs(len(examples), **inputs),
        target=Target(fed.values, predicted.values, fed.lengths),
        texts=tuple(example.texts for example in examples),
        references=tuple(example.references for example in examples),
        rows=tuple(example.row for example in examples),
        continues=None if window.continues is None else torch.tensor(window.continues),
        goes_on=window.goes_on,
    )
