"""What losses are given, made by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from s2s_lit.types import Batch, Decoded, DecoderState, Inputs, ModelOutput, Target


def output_of(
    *, logits: Tensor | None = None, features: Tensor | None = None, hidden: Tensor | None = None,
    weights: Tensor | None = None,
) -> ModelOutput:  # fmt: skip
    """A model's output of which only what is given is looked at."""
    nothing = torch.zeros(1, 1, 1)
    given = [nothing if tensor is None else tensor for tensor in (logits, features, hidden)]
    return ModelOutput(given[0], Decoded(given[1], given[2], weights, DecoderState()))


def batch_of_lengths(lengths: Tensor, size: int) -> Batch:
    """A batch of targets of these lengths, padded to `size`."""
    ids = torch.zeros(len(lengths), size, dtype=torch.long)
    return Batch(Inputs(len(lengths)), Target(ids, ids, lengths))


def batch_of_tokens(tokens: Tensor) -> Batch:
    """A batch of one target [M]."""
    ids = tokens.unsqueeze(0)
    return Batch(Inputs(1), Target(ids, ids, torch.tensor([len(tokens)])))
