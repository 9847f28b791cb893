"""Greedy search: the likeliest piece, again and again."""

from __future__ import annotations

import torch
from torch import Tensor

from s2s_lit.decoding.search import Search
from s2s_lit.decoding.step import StepModel
from s2s_lit.decoding.trellis import Trellis
from s2s_lit.types import BOS, EOS


class GreedySearch(Search):
    """Takes the likeliest next piece until EOS or the cap; one hypothesis a sentence, its score is its log-probability.

    Of equally likely pieces the lowest id is taken.

    Args:
        max_length_ratio: Longest output per source piece.
        max_length_offset: Pieces allowed on top of that.
    """

    def __init__(self, *, max_length_ratio: float = 2.0, max_length_offset: int = 10) -> None:
        super().__init__(max_length_ratio=max_length_ratio, max_length_offset=max_length_offset)

    def _fill(self, trellis: Trellis, model: StepModel, source_ids: Tensor, source_lengths: Tensor) -> None:
        memory, state = model.start(source_ids, source_lengths)
        caps, cells = self.length_caps(source_lengths), trellis.roots  # [A]: the sentences still open
        sentences, tokens = trellis.roots, torch.full_like(trellis.roots, BOS)
        sums = torch.zeros(len(caps), device=caps.device)
        step = 0
        while len(sentences):
            step += 1
            log_probs, weights, state = model.step(tokens, memory, state)
            trellis.attend(cells, weights)
            tokens = log_probs.argmax(dim=-1)
            sums = sums + log_probs.gather(1, tokens.unsqueeze(1)).squeeze(1)
            finished = tokens == EOS
            cells = torch.where(finished, cells, trellis.grow(tokens, cells))
            ended = finished | (caps <= step)
            if ended.any():
                outcome = (column[ended].unsqueeze(1) for column in (cells, sums, sums, finished))
                trellis.end(sentences[ended], *outcome)
                rows = (~ended).nonzero().squeeze(1)
                sentences, tokens, sums, caps, cells = (x[rows] for x in (sentences, tokens, sums, caps, cells))
                memory, state = memory.select(rows), state.select(rows)
