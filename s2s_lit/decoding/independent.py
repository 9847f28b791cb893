"""Searches that follow each hypothesis to its end and drop none."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from s2s_lit.decoding.search import Search
from s2s_lit.decoding.step import StepModel
from s2s_lit.decoding.trellis import Trellis
from s2s_lit.types import BOS, EOS, DecoderState, Encoded, Inputs

Choice = Callable[[Tensor, Tensor, int], Tensor]
"""(log-probabilities [A, K, V] of the next tokens, the sentences' places in the batch [A], step from 0) -> [A, K]."""


class IndependentSearch(Search):
    """K hypotheses of each sentence, each one path: every step adds one chosen token, until EOS or the cap.

    A hypothesis's score is its log-probability. A sentence leaves the search when all its paths have ended.
    """

    n_best: int = 1
    """K, paths of a sentence."""

    @abstractmethod
    def _choice(self, inputs: Inputs, caps: Tensor) -> Choice:
        """How the next tokens are chosen in the search of this batch, whose longest outputs are `caps` [B]."""

    def _fill(self, trellis: Trellis, model: StepModel, inputs: Inputs, encoded: Encoded, state: DecoderState) -> None:
        sentences, caps = trellis.roots, self.length_caps(trellis.lengths)  # [A] of the sentences still open
        choose = self._choice(inputs, caps)
        cells = sentences.unsqueeze(1).expand(-1, self.n_best)  # [A, K]
        state = state.select(cells.flatten()) if self.n_best > 1 else state
        tokens, ended = torch.full_like(cells, BOS), torch.zeros_like(cells, dtype=torch.bool)
        sums = torch.zeros(cells.shape, device=cells.device)
        step = 0
        while len(sentences):
            log_probs, weights, state = model.step(tokens.flatten(), encoded, state)
            trellis.attend(cells.where(~ended, -1), weights)  # a path that has ended looks no more
            log_probs = log_probs.view(*cells.shape, -1)
            tokens = choose(log_probs, sentences, step).where(~ended, EOS)
            sums = sums + log_probs.gather(2, tokens.unsqueeze(2)).squeeze(2).where(~ended, 0.0)
            ended = tokens == EOS
            cells = torch.where(ended, cells, trellis.grow(tokens, cells))
            step += 1
            leaving = ended.all(dim=1) | (caps <= step)
            if leaving.any():
                _end(trellis, *(column[leaving] for column in (sentences, cells, sums, ended)))
                rows = (~leaving).nonzero().squeeze(1)
                encoded, state = encoded.select(rows), _select(state, rows, self.n_best)
                sentences, caps, cells, tokens, sums, ended = (
                    column[rows] for column in (sentences, caps, cells, tokens, sums, ended)
                )


def _select(state: DecoderState, rows: Tensor, paths: int) -> DecoderState:
    """The states of all paths of the sentences `rows`."""
    return state.select((rows.unsqueeze(1) * paths + torch.arange(paths, device=rows.device)).flatten())


def _end(trellis: Trellis, sentences: Tensor, cells: Tensor, sums: Tensor, ended: Tensor) -> None:
    """Hand over the paths of these sentences: finished ones first, the likelier first."""
    if cells.shape[1] > 1:
        order = sums.sort(dim=1, descending=True, stable=True).indices
        order = order.gather(1, ended.gather(1, order).int().sort(dim=1, descending=True, stable=True).indices)
        cells, sums, ended = (column.gather(1, order) for column in (cells, sums, ended))
    trellis.end(sentences, cells, sums, sums, ended)
