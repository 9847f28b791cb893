"""How likely trained models hold given targets: forced scoring of any number of pairs, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import torch
from torch import Tensor

from s2s_lit.data.batching.collate import collate
from s2s_lit.decoding.scorers import forced_log_probs
from s2s_lit.inference.generator import BLOCK, batches_by_length, ignore
from s2s_lit.inference.models import Models
from s2s_lit.text.lines import encode_lines
from s2s_lit.types import EOS, Batch


def score(
    models: Models, pairs: Iterable[tuple[str, str]], *, told: Callable[[int], object] = ignore
) -> Iterator[list[tuple[str, float]]]:
    """The tokens of each target, its EOS last, with their log-probabilities, in the pairs' order.

    Args:
        models: One run, or several as one.
        pairs: Sources and targets, any number: they are read and answered block by block.
        told: Hears how many pairs are done each time.
    """
    remaining = iter(pairs)
    while block := list(islice(remaining, BLOCK)):
        yield from _score_block(models, block, told)


def _score_block(
    models: Models, pairs: Sequence[tuple[str, str]], told: Callable[[int], object]
) -> Iterator[list[tuple[str, float]]]:
    task, _, size = models
    tokenizer = task.tokenizers.target
    targets = tokenizer.encode_batch([task.tokenizers.normalize(target) for _, target in pairs])
    sources = encode_lines([source for source, _ in pairs], task.tokenizers)
    examples = [replace(example, target_ids=ids) for example, ids in zip(sources, targets, strict=True)]
    found: list[list[float]] = [[] for _ in pairs]
    for rows in batches_by_length(examples, range(len(examples)), size):
        batch = collate([examples[i] for i in rows]).to(task.device)
        for row, values in zip(rows, token_log_probs(models, batch).tolist(), strict=True):
            found[row] = values[: examples[row].target_length]
        told(len(rows))
    for example, values in zip(examples, found, strict=True):
        yield [(tokenizer.tokens[i], value) for i, value in zip([*example.target_ids, EOS], values, strict=True)]


@torch.inference_mode()
def token_log_probs(models: Models, batch: Batch) -> Tensor:
    """Those of each token of the targets [B, T], 0 at padding: in one pass if there is a single run, else by steps."""
    task, model, _ = models
    if model is not task.model:
        return forced_log_probs(model, batch.source_ids, batch.source_lengths, batch.target_ids, batch.target_lengths)
    mask = batch.target_mask
    log_probs = task.loss(task.model(batch).logits, batch.target_ids[mask]).log_probs
    return log_probs.new_zeros(mask.shape).masked_scatter(mask, log_probs)
