"""Outputs of trained models for any number of lines, block by block: batched by length, searched, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import torch

from s2s_lit.data.batching.collate import collate
from s2s_lit.decoding.constraints import ForcedPrefix
from s2s_lit.decoding.step import StepModel
from s2s_lit.errors import UserError
from s2s_lit.inference.models import Models
from s2s_lit.tasks.base import Task
from s2s_lit.text.lines import encode_lines
from s2s_lit.types import UNK, Batch, Example, Hypothesis

BLOCK = 4096  # lines that are in memory at a time


class Generated(NamedTuple):
    """One output for one line.

    Attributes:
        text: The output as text.
        score: What the search ranks it by.
        hypothesis: What the search found.
    """

    text: str
    score: float
    hypothesis: Hypothesis


def ignore(done: int) -> None:
    """Hears how many are done where nobody asks."""


def generate(
    models: Models, lines: Iterable[str], *, prefix: Sequence[int] = (), told: Callable[[int], object] = ignore
) -> Iterator[list[Generated]]:
    """The n best outputs of each line, best first, in the lines' order; a line without a token has none.

    Args:
        models: One run, or several as one.
        lines: Any number: they are read and answered block by block.
        prefix: The ids with which every output begins (`prefix_ids`).
        told: Hears how many lines are done each time.

    Raises:
        UserError: The prefix is as long as an output may be.
    """
    task, remaining = models.task, iter(lines)
    while block := list(islice(remaining, BLOCK)):
        for line, hypotheses in zip(block, _search(models, block, list(prefix), told), strict=True):
            source = task.tokenizers.normalize(line)
            yield [Generated(task.text_of(found, source), found.score, found) for found in hypotheses]


def prefix_ids(task: Task, prefix: str) -> list[int]:
    """The ids of the words with which outputs shall begin.

    Raises:
        UserError: The vocabulary lacks one, and what it lacks cannot be forced.
    """
    tokenizer, text = task.tokenizers.target, task.tokenizers.normalize(prefix)
    ids = tokenizer.encode(text)
    if UNK in ids:
        unknown = [token for i, token in zip(ids, tokenizer.tokenize(text), strict=True) if i == UNK]
        raise UserError(f"--prefix: the target vocabulary has no {', '.join(map(repr, unknown))}")
    return ids


def batches_by_length(examples: Sequence[Example], keep: Sequence[int], size: int) -> Iterator[list[int]]:
    """The places `keep` in lists of up to `size`, of similar source lengths."""
    order = sorted(keep, key=lambda i: len(examples[i].source_ids))
    return (order[start : start + size] for start in range(0, len(order), size))


def _search(
    models: Models, lines: Sequence[str], prefix: list[int], told: Callable[[int], object]
) -> list[list[Hypothesis]]:
    """The hypotheses of a block's lines, in their order."""
    task, model, size = models
    examples = encode_lines(lines, task.tokenizers)
    found: list[list[Hypothesis]] = [[] for _ in lines]
    for rows in batches_by_length(examples, [i for i, each in enumerate(examples) if each.source_length > 1], size):
        batch = collate([examples[i] for i in rows]).to(task.device)
        searched = _forcing(task, model, batch, prefix) if prefix else model
        with torch.inference_mode():
            results = task.search(searched, batch.source_ids, batch.source_lengths, keep_weights=task.replaces_unknown)
        for row, hypotheses in zip(rows, results, strict=True):
            found[row] = hypotheses
        told(len(rows))
    return found


def _forcing(task: Task, model: StepModel, batch: Batch, prefix: list[int]) -> StepModel:
    """The model whose every output begins with the tokens `prefix`."""
    cap = int(task.search.length_caps(batch.source_lengths).min())
    if len(prefix) >= cap:
        raise UserError(
            f"--prefix has {len(prefix)} tokens, but the translation of a line may have {cap} with its end: raise "
            "task.search.max_length_offset"
        )
    return ForcedPrefix(model, torch.tensor(prefix, device=task.device).expand(len(batch), -1))
