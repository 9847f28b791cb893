"""Outputs of trained models for any number of examples, block by block: batched by length, searched, in their order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from s2s_lit.data.batching.collate import collate
from s2s_lit.decoding.constraints import ForcedPrefix
from s2s_lit.decoding.search import Search
from s2s_lit.decoding.step import StepModel
from s2s_lit.errors import UserError
from s2s_lit.types import EOS, UNK, Batch, Example, Hypothesis

if TYPE_CHECKING:
    from s2s_lit.inference.models import TrainedModel

BLOCK = 4096  # examples that are in memory at a time

Raw = str | Mapping[str, Any]
"""One example as a user gives it: the text of the only input, or the value of each input by its name."""


@dataclass(frozen=True)
class Generated:
    """One output for one input.

    Attributes:
        text: The output as text.
        score: What the search ranks it by.
        log_prob: The logarithm of its probability.
        tokens: Its tokens, the end mark last if it has ended.
        input_tokens: The positions of the input that the attention looks at.
        attention: Its weights [tokens, input_tokens], where they were kept.
    """

    text: str
    score: float
    log_prob: float
    tokens: list[str]
    input_tokens: list[str]
    attention: Tensor | None


class Outputs(tuple[Generated, ...]):
    """The outputs for one input, best first. What one output has is here that of the best; without any it is empty."""

    @property
    def text(self) -> str:
        return self[0].text if self else ""

    @property
    def score(self) -> float:
        return self[0].score if self else -math.inf

    @property
    def tokens(self) -> list[str]:
        return self[0].tokens if self else []

    @property
    def attention(self) -> Tensor | None:
        return self[0].attention if self else None


def ignore(done: int) -> None:
    """Hears how many are done where nobody asks."""


def generate(
    models: TrainedModel,
    examples: Iterable[Raw],
    *,
    search: Search | None = None,
    prefix: Sequence[int] = (),
    keep_weights: bool = False,
    told: Callable[[int], object] = ignore,
) -> Iterator[Outputs]:
    """The n best outputs of each example, best first, in the examples' order; one whose inputs are empty has none.

    Args:
        models: A trained model, or several as one.
        examples: Any number: they are read and answered block by block.
        search: How outputs are found; None: as the run is configured.
        prefix: The ids with which every output begins (`prefix_ids`).
        keep_weights: Whether hypotheses carry the attention's weights.
        told: Hears how many examples are done each time.

    Raises:
        UserError: An example lacks an input, or the prefix is as long as an output may be.
    """
    remaining = iter(examples)
    search = search or models.search
    if getattr(search, "coverage_penalty", 0) and not models.attends:
        raise UserError("task.search.coverage_penalty needs an attention, which this model does not have: leave it out")
    while block := list(islice(remaining, BLOCK)):
        read = models.fields.encode([by_name(models, each) for each in block])
        found: list[list[Hypothesis]] = [[] for _ in read]
        for places in batches_by_length(read, [i for i, each in enumerate(read) if _is_there(each)], models.batch_size):
            batch = collate([read[i] for i in places], models.fields).to(models.device)
            for place, hypotheses in zip(places, _search(models, search, batch, prefix, keep_weights), strict=True):
                found[place] = hypotheses
            told(len(places))
        for example, hypotheses in zip(read, found, strict=True):
            yield _outputs(models, example, hypotheses)


def _outputs(models: TrainedModel, example: Example, hypotheses: Sequence[Hypothesis]) -> Outputs:
    target, source_text = models.fields.target, next(iter(example.texts.values()), "")
    input_tokens = [models.fields[name].names(read) for name, read in list(example.inputs.items())[:1]]
    return Outputs(
        Generated(
            text=models.text_of(each, source_text),
            score=each.score,
            log_prob=each.log_prob,
            tokens=target.names([*each.token_ids, EOS] if each.finished else each.token_ids),
            input_tokens=next(iter(input_tokens), []),
            attention=each.weights,
        )
        for each in hypotheses
    )


def by_name(models: TrainedModel, example: Raw) -> Mapping[str, Any]:
    """The inputs of an example by their names.

    Raises:
        UserError: It is one text, and the model does not read one input.
    """
    if not isinstance(example, str):
        return example
    names = list(models.fields.inputs)
    if len(names) != 1:
        raise UserError(f"this model reads {', '.join(names) or 'no input'}: give each example as a mapping by name")
    return {names[0]: example}


def prefix_ids(models: TrainedModel, prefix: str) -> list[int]:
    """The ids of the words with which outputs shall begin.

    Raises:
        UserError: The vocabulary lacks one, and what it lacks cannot be forced.
    """
    target = models.fields.target
    text = str(target.read(prefix))
    ids = target.tokenizer.encode(text)
    if UNK in ids:
        unknown = [token for i, token in zip(ids, target.tokenizer.tokenize(text), strict=True) if i == UNK]
        raise UserError(f"--prefix: the target vocabulary has no {', '.join(map(repr, unknown))}")
    return ids


def batches_by_length(examples: Sequence[Example], keep: Sequence[int], size: int) -> Iterator[list[int]]:
    """The places `keep` in lists of up to `size`, of similar input lengths."""
    order = sorted(keep, key=lambda i: examples[i].lengths[1:])
    return (order[start : start + size] for start in range(0, len(order), size))


def _is_there(example: Example) -> bool:
    """Whether there is something to read, besides end marks; a model without an input needs nothing."""
    return not example.inputs or any(length > 1 for length in example.lengths[1:])


@torch.inference_mode()
def _search(
    models: TrainedModel, search: Search, batch: Batch, prefix: Sequence[int], keep_weights: bool
) -> list[list[Hypothesis]]:
    model = _forcing(models, search, batch, prefix) if prefix else models.model
    return search(model, batch.inputs, keep_weights=keep_weights or models.text_of.needs_weights)


def _forcing(models: TrainedModel, search: Search, batch: Batch, prefix: Sequence[int]) -> StepModel:
    """The model whose every output begins with the tokens `prefix`."""
    encoded, _ = models.model.start(batch.inputs)
    cap = int(search.length_caps(encoded["mask"].sum(dim=1)).min())
    if len(prefix) >= cap:
        raise UserError(
            f"--prefix has {len(prefix)} tokens, but an output may have {cap} with its end: raise "
            "task.search.max_length_offset"
        )
    return ForcedPrefix(models.model, torch.tensor(prefix, device=models.device).expand(len(batch), -1))
