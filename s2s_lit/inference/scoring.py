"""How likely trained models hold given targets: forced scoring of any number of pairs, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import torch
from torch import Tensor

from s2s_lit.data.batching.collate import collate
from s2s_lit.decoding.scorers import forced_log_probs
from s2s_lit.inference.generator import BLOCK, Raw, batches_by_length, by_name, ignore
from s2s_lit.inference.models import Models
from s2s_lit.types import EOS, TARGET, Batch


def score(
    models: Models, pairs: Iterable[tuple[Raw, str]], *, told: Callable[[int], object] = ignore
) -> Iterator[list[tuple[str, float]]]:
    """The tokens of each target, its EOS last, with their log-probabilities, in the pairs' order.

    Args:
        models: One run, or several as one.
        pairs: Inputs and targets, any number: they are read and answered block by block.
        told: Hears how many pairs are done each time.
    """
    remaining, target = iter(pairs), models.fields.target
    while block := list(islice(remaining, BLOCK)):
        examples = models.fields.encode([{**by_name(models, given), TARGET: text} for given, text in block])
        found: list[list[float]] = [[] for _ in examples]
        for places in batches_by_length(examples, range(len(examples)), models.batch_size):
            batch = collate([examples[i] for i in places], models.fields).to(models.device)
            for place, values in zip(places, token_log_probs(models, batch).tolist(), strict=True):
                found[place] = values[: examples[place].lengths[0]]
            told(len(places))
        for example, values in zip(examples, found, strict=True):
            yield list(zip(target.names([*example.target, EOS]), values, strict=True))


@torch.inference_mode()
def token_log_probs(models: Models, batch: Batch) -> Tensor:
    """Those of each token of the targets [B, T], 0 at padding: in one pass if there is a single run, else by steps."""
    task = models.task
    if models.model is not task.model:
        return forced_log_probs(models.model, batch.inputs, batch.target)
    log_probs = task.loss(task.model(batch.inputs, batch.target), batch).log_probs
    return log_probs.new_zeros(batch.target.mask.shape).masked_scatter(batch.target.mask, log_probs)
