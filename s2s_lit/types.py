"""The few values that cross rooms.

Axes: B batch, K hypotheses of one sentence, S source, T target, E embedding, H hidden, L layers, V vocabulary.
Batch first everywhere. Masks are boolean and True at a real token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
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


@dataclass(frozen=True)
class Example:
    """One sentence pair, encoder_output.

    `source_ids` end with EOS; `target_ids` have neither BOS nor EOS (the collation adds both). Sorting by `row`
    restores the order of the file, whatever order the sentences were read in.
    """

    source_ids: list[int]
    target_ids: list[int]
    source_text: str
    target_text: str
    row: int = 0

    @property
    def source_length(self) -> int:
        """Source positions in a batch, the EOS counted."""
        return len(self.source_ids)

    @property
    def target_length(self) -> int:
        """Target positions in a batch, the EOS counted."""
        return len(self.target_ids) + 1


@dataclass(frozen=True)
class Batch:
    """Padded sentence pairs.

    `target_input_ids` is BOS + target, `target_ids` is target + EOS, so position t of the first predicts position t
    of the second; `target_lengths` counts the EOS. A batch may show a window of target positions only: `continues`
    then says which row of the batch before each row goes on with, and its decoder state is taken from there.
    """

    source_ids: Tensor  # [B, S]
    source_lengths: Tensor  # [B]
    target_input_ids: Tensor  # [B, T]
    target_ids: Tensor  # [B, T]
    target_lengths: Tensor  # [B]
    source_texts: tuple[str, ...]
    target_texts: tuple[str, ...]
    rows: tuple[int, ...] = ()  # each sentence's place in its split: batches sorted by length are put back by it
    continues: Tensor | None = None  # [B]; None where the sentences start
    goes_on: bool = False  # whether the next batch continues this one

    @classmethod
    def idle(cls) -> Batch:
        """What a process is given that has no pair while others have: one empty source and no target token.

        It passes through the whole network, so that every parameter has a gradient to be added to the others', and
        adds nothing to any sum. Two positions of padding, as some attentions use all they have in the second only.
        """
        return cls(
            source_ids=torch.tensor([[EOS]]),
            source_lengths=torch.tensor([1]),
            target_input_ids=torch.tensor([[BOS, PAD]]),
            target_ids=torch.tensor([[PAD, PAD]]),
            target_lengths=torch.tensor([0]),
            source_texts=(),
            target_texts=(),
        )

    @property
    def is_idle(self) -> bool:
        """Whether there is no pair in it."""
        return not self.source_texts

    def __len__(self) -> int:
        return self.source_ids.shape[0]

    @property
    def target_mask(self) -> Tensor:  # [B, T]
        return length_mask(self.target_lengths, self.target_ids.shape[1])

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Batch:
        return self._each_tensor(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def _each_tensor(self, change: Callable[[Tensor], Tensor]) -> Batch:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        changed: dict[str, Any] = {name: change(v) for name, v in values.items() if isinstance(v, Tensor)}
        return replace(self, **changed)


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
    """What stays fixed while one sentence is decoded, [B, ...]: `values`, `mask`, projected `keys`, ...

    Computed once per sentence by `attention.prepare` and never copied per hypothesis.
    """


class DecoderState(TensorMap):
    """Everything that changes while one hypothesis is decoded, [N, ...] with N = B * K.

    The K hypotheses of one sentence lie side by side, so row n belongs to sentence n // K.
    """


@dataclass(frozen=True)
class Decoded:
    """What a decoder yields for T given tokens of each sentence."""

    features: Tensor  # [B, T, F] from which the next tokens are predicted
    hidden: Tensor  # [B, T, H] outputs of the last recurrent layer, before dropout
    weights: Tensor | None  # [B, T, S] of the attention; None without one
    state: DecoderState  # after the last token


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
    """One evaluated sentence, as it goes to metrics and into the run's records.

    `weights` [len(target_tokens), len(source_tokens)] are the attention's, if it has any; both token lists end with
    the end mark where there is one. Sorting by `row` restores the order of the file. `nll` (nats) is what the
    reference's `reference_tokens` (the end mark counted) cost, teacher forced.
    """

    source: str
    reference: str
    hypothesis: str
    source_tokens: list[str]
    target_tokens: list[str]
    score: float
    weights: Tensor | None = None
    row: int = 0
    nll: float | None = None
    reference_tokens: int = 0
