"""How likely trained models hold given targets: forced scoring of any number of pairs, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from s2s_lit.data.batching.collate import collate
from s2s_lit.decoding.scorers import forced_log_probs
from s2s_lit.inference.generator import BLOCK, Raw, batches_by_length, by_name, ignore
from s2s_lit.types import EOS, TARGET, Batch, at_least_float32

if TYPE_CHECKING:
    from s2s_lit.inference.models import TrainedModel


class Scored:
    """How likely a target is.

    Args:
        by_token: Its tokens, the end mark last, with their log-probabilities.

    Attributes:
        log_prob: log P(target | input).
        tokens: The tokens.
        token_log_probs: The log-probability of each.
    """

    def __init__(self, by_token: Sequence[tuple[str, float]]) -> None:
        self.tokens = [token for token, _ in by_token]
        self.token_log_probs = [log_prob for _, log_prob in by_token]
        self.log_prob = sum(self.token_log_probs)


def score(
    models: TrainedModel, pairs: Iterable[tuple[Raw, str]], *, told: Callable[[int], object] = ignore
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
def token_log_probs(models: TrainedModel, batch: Batch) -> Tensor:
    """Those of each token of the targets [B, T], 0 at padding: in one pass if there is a single run, else by steps."""
    if len(models.members) > 1:
        return forced_log_probs(models.model, batch.inputs, batch.target)
    logits = at_least_float32(models.members[0](batch.inputs, batch.target).logits)
    log_probs = logits.log_softmax(dim=-1).gather(1, batch.target.tokens.unsqueeze(1)).squeeze(1)
    return log_probs.new_zeros(batch.target.mask.shape).masked_scatter(batch.target.mask, log_probs)
