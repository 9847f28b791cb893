"""The few values that cross rooms.

Axes: B batch, K hypotheses of one example, S source, T target, E embedding, H hidden, L layers, V vocabulary.
Batch first everywhere. Masks are boolean and True at a real token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

PAD, UNK, BOS, EOS = 0, 1, 2, 3
"""Ids of the special tokens, the same in every vocabulary."""


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """True at the first `lengths[b]` of `size` positions: [B] -> [B, size]."""
    return torch.arange(size, device=lengths.device) < lengths.unsqueeze(1)


def at_least_float32(tensor: Tensor) -> Tensor:
    """What autocast left in 16 bits as float32; float64 stays: normalizing sums need the precision."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


TARGET = "target"
"""Name of the field that is generated; all other fields are inputs."""


@dataclass(frozen=True)
class Sequences:
    """Padded values of one field: token ids [B, S] or features [B, S, F], of which row b has `lengths[b]` real ones."""

    values: Tensor
    lengths: Tensor  # [B]

    @classmethod
    def of(cls, values: Tensor) -> Sequences:
        """Values without padding: every row has its whole length."""
        return cls(values, torch.full(values.shape[:1], values.shape[1], device=values.device))

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def mask(self) -> Tensor:  # [B, S]
        return length_mask(self.lengths, self.values.shape[1])

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Sequences:
        return Sequences(*(each.to(device, non_blocking=non_blocking) for each in (self.values, self.lengths)))


class Inputs(Mapping[str, Sequences]):
    """The named inputs of some examples. A model that reads none still learns how many examples there are.

    Args:
        size: B, the number of examples.
        **fields: What each input holds, B rows.
    """

    def __init__(self, size: int, **fields: Sequences) -> None:
        self.size = size
        self._fields = fields

    def __getitem__(self, name: str) -> Sequences:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Inputs:
        return Inputs(self.size, **{name: field.to(device, non_blocking) for name, field in self.items()})


@dataclass(frozen=True)
class Target:
    """Padded targets, or a window of their positions.

    `inputs` is BOS + target, `ids` target + EOS, so position t of the first predicts position t of the second;
    `lengths` counts the EOS.
    """

    inputs: Tensor  # [B, T]
    ids: Tensor  # [B, T]
    lengths: Tensor  # [B]

    @classmethod
    def of(cls, tokens: Sequences) -> Target:
        """Whole targets from tokens [B, T - 1] without marks: BOS and EOS are added here."""
        rows, size = tokens.values.shape
        inputs = tokens.values.new_full((rows, size + 1), PAD)
        inputs[:, 0] = BOS
        inputs[:, 1:] = tokens.values.where(tokens.mask, PAD)
        ids = torch.cat([inputs[:, 1:], inputs.new_full((rows, 1), PAD)], dim=1)
        ids[torch.arange(rows, device=ids.device), tokens.lengths] = EOS
        return cls(inputs, ids, tokens.lengths + 1)

    @property
    def mask(self) -> Tensor:  # [B, T]
        return length_mask(self.lengths, self.ids.shape[1])

    @property
    def tokens(self) -> Tensor:  # [M]
        """The ids of the M real positions, example after example."""
        return self.ids[self.mask]

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Target:
        return Target(*(each.to(device, non_blocking=non_blocking) for each in (self.inputs, self.ids, self.lengths)))


@dataclass(frozen=True)
class Example:
    """One example, encoded.

    `inputs` has the values of each input, one a position (token ids end with EOS); `target` has neither BOS nor EOS
    (the collation adds both). `texts` are those of all fields as they were read, `references` all that are right.
    Sorting by `row` restores the order of the file, whatever order the examples were read in.
    """

    inputs: dict[str, Any]
    target: list[int]
    texts: dict[str, str]
    references: tuple[str, ...] = ()
    row: int = 0

    @property
    def lengths(self) -> tuple[int, ...]:
        """Positions in a batch: of the target, its EOS counted, then of each input."""
        return len(self.target) + 1, *map(len, self.inputs.values())


@dataclass(frozen=True)
class Batch:
    """Padded examples.

    A batch may show a window of target positions only: `continues` then says which row of the batch before each row
    goes on with, and its decoder state is taken from there.
    """

    inputs: Inputs
    target: Target
    texts: tuple[dict[str, str], ...] = ()  # of each example, by field
    references: tuple[tuple[str, ...], ...] = ()  # of each example, one or several
    rows: tuple[int, ...] = ()  # each example's place in its split: batches sorted by length are put back by it
    continues: Tensor | None = None  # [B]; None where the targets start
    goes_on: bool = False  # whether the next batch continues this one
    is_idle: bool = False  # whether there is no example in it

    def __len__(self) -> int:
        return self.inputs.size

    @classmethod
    def idle(cls, inputs: Inputs) -> Batch:
        """What a process is given that has no example while others have: `inputs` of one without meaning, no target.

        It passes through the whole network, so that every parameter has a gradient to be added to the others', and
        adds nothing to any sum. Two positions of padding, as some attentions use all they have in the second only.
        """
        target = Target(torch.tensor([[BOS, PAD]]), torch.tensor([[PAD, PAD]]), torch.tensor([0]))
        return cls(inputs, target, is_idle=True)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Batch:
        continues = None if self.continues is None else self.continues.to(device, non_blocking=non_blocking)
        moved = {"inputs": self.inputs.to(device, non_blocking), "target": self.target.to(device, non_blocking)}
        return replace(self, continues=continues, **moved)  # type: ignore[arg-type]


@dataclass(frozen=True)
class RecurrentState:
    """What a recurrence carries: `hidden` and, for an LSTM, `cell`, each [B, L, H]."""

    hidden: Tensor
    cell: Tensor | None = None


@dataclass(frozen=True)
class EncoderOutput:
    """What an encoder yields: `outputs` [B, S, M] with `mask` [B, S], and its last states."""

    outputs: Tensor
    mask: Tensor
    final: RecurrentState


class TensorMap(Mapping[str, Tensor]):
    """An immutable mapping of named tensors that all have the same first axis."""

    def __init__(self, **tensors: Tensor) -> None:
        self._tensors = tensors

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def select(self, indices: Tensor) -> Self:
        """The rows `indices` [M] (repeats allowed) of every tensor: serves every search."""
        return type(self)(**{name: tensor.index_select(0, indices) for name, tensor in self.items()})

    def detach(self) -> Self:
        """The same values cut from the graph: serves windows of time steps."""
        return type(self)(**{name: tensor.detach() for name, tensor in self.items()})

    def to(self, device: torch.device | str) -> Self:
        return type(self)(**{name: tensor.to(device) for name, tensor in self.items()})

    def updated(self, **tensors: Tensor) -> Self:
        return type(self)(**{**self._tensors, **tensors})


class Encoded(TensorMap):
    """What stays fixed while one example is decoded, [B, ...]: `values`, `mask`, projected `keys`, ...

    Computed once per example by `attention.prepare` and never copied per hypothesis.
    """


class DecoderState(TensorMap):
    """Everything that changes while one hypothesis is decoded, [N, ...] with N = B * K.

    The K hypotheses of one example lie side by side, so row n belongs to example n // K.
    """


@dataclass(frozen=True)
class Decoded:
    """What a decoder yields for T given tokens of each sentence."""

    features: Tensor  # [B, T, F] from which the next tokens are predicted
    hidden: Tensor  # [B, T, H] outputs of the last recurrent layer, before dropout
    weights: Tensor | None  # [B, T, S] of the attention; None without one
    state: DecoderState  # after the last token


@dataclass(frozen=True)
class ModelOutput:
    """What a pass over given targets yields.

    `logits` [M, V] are those of the M real target positions, example after example: none is computed for padding.
    """

    logits: Tensor
    decoded: Decoded


@dataclass(frozen=True)
class Hypothesis:
    """One finished output of a search.

    `token_ids` are without BOS and EOS; `log_prob` is the sum over its tokens and the EOS (if `finished`); `score` is
    what the search ranked by (for a beam, the length-normalized sum); `weights` are the attention's, if it has any, one
    row [S] for each token and, if `finished`, the EOS.
    """

    token_ids: list[int]
    score: float
    log_prob: float
    finished: bool = True
    weights: Tensor | None = None


@dataclass(frozen=True)
class Prediction:
    """One evaluated example, as it goes to metrics and into the run's records.

    `weights` [len(target_tokens), len(input_tokens)] are the attention's, if it has any; both lists of tokens end with
    the end mark where there is one. Sorting by `row` restores the order of the file. `nll` (nats) is what the
    first reference's `reference_tokens` (the end mark counted) cost, teacher forced.
    """

    inputs: dict[str, str]
    references: tuple[str, ...]
    hypothesis: str
    input_tokens: list[str]
    target_tokens: list[str]
    score: float
    weights: Tensor | None = None
    row: int = 0
    nll: float | None = None
    reference_tokens: int = 0

    @property
    def source(self) -> str:
        """What was read, as one text; of a model without an input what was to be generated."""
        return " | ".join(self.inputs.values()) if self.inputs else self.reference

    @property
    def reference(self) -> str:
        """The first reference."""
        return self.references[0] if self.references else ""
