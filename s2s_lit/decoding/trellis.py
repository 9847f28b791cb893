"""Every token that a search kept, as a tree of back-pointers."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from s2s_lit.types import BOS, Hypothesis


class Trellis:
    """All hypotheses of a batch of sentences, each token stored once.

    A cell is one token of one hypothesis: its id and the cell before it. Cells 0 .. B-1 are the sentences' BOS, so a
    hypothesis is the path from its last cell back to a root. During the search only tensors are appended; paths are
    walked once, at the end.

    Args:
        lengths: [B] input positions of each sentence.
        keep_weights: Whether the hypotheses shall carry the attention's weights.
    """

    def __init__(self, lengths: Tensor, keep_weights: bool) -> None:
        self.roots = torch.arange(len(lengths), device=lengths.device)  # [B]
        self.lengths = lengths
        self._tokens = [torch.full_like(self.roots, BOS)]
        self._parents = [torch.full_like(self.roots, -1)]
        self._size = len(self.roots)
        self._keep_weights = keep_weights
        self._stepped: list[Tensor] = []  # the cells a step was fed, [N] each
        self._weights: list[Tensor] = []  # the weights it returned for them, [N, S] each
        self._ends: list[tuple[Tensor, ...]] = []

    def grow(self, tokens: Tensor, parents: Tensor) -> Tensor:
        """Add a cell for each of `tokens`, after the cells `parents` of the same shape; the new cells' numbers."""
        cells = torch.arange(self._size, self._size + tokens.numel(), device=tokens.device)
        self._tokens.append(tokens.flatten())
        self._parents.append(parents.flatten())
        self._size += tokens.numel()
        return cells.view_as(tokens)

    def attend(self, cells: Tensor, weights: Tensor | None) -> None:
        """Note the `weights` [N, S] with which the tokens after `cells` (N of them) were predicted."""
        if self._keep_weights and weights is not None:
            self._stepped.append(cells.flatten())
            self._weights.append(weights)

    def end(self, sentences: Tensor, cells: Tensor, scores: Tensor, log_probs: Tensor, finished: Tensor) -> None:
        """Note the outcome of `sentences` [M]: their hypotheses [M, R], best first, by their last cells.

        `finished` [M, R] tells which are followed by EOS; a score of -inf marks an empty place.
        """
        self._ends.append((sentences, cells, scores, log_probs, finished))

    def hypotheses(self) -> list[list[Hypothesis]]:
        """The hypotheses of each sentence, in the order in which `end` was given them."""
        tokens, parents = torch.cat(self._tokens).tolist(), torch.cat(self._parents).tolist()
        lengths = self.lengths.tolist()
        weights, row_of = self._all_weights()
        results: list[list[Hypothesis]] = [[] for _ in lengths]
        for end in self._ends:
            for sentence, *columns in zip(*(column.tolist() for column in end), strict=True):
                for cell, score, log_prob, finished in zip(*columns, strict=True):
                    if score == -math.inf:
                        continue
                    path = _path(cell, parents)
                    ids = [tokens[i] for i in path[1:]]
                    # The token after a cell was predicted with the weights noted at that cell.
                    rows = [row_of[i] for i in (path if finished else path[:-1])] if row_of else []
                    seen = weights[rows, : lengths[sentence]] if weights is not None else None
                    results[sentence].append(Hypothesis(ids, score, log_prob, finished, seen))
        return results

    def _all_weights(self) -> tuple[Tensor | None, dict[int, int]]:
        """All weights noted, on the CPU, and the row of each cell in them."""
        if not self._weights:
            return None, {}
        cells = torch.cat(self._stepped).tolist()
        return torch.cat(self._weights).float().cpu(), {cell: row for row, cell in enumerate(cells)}


def _path(cell: int, parents: list[int]) -> list[int]:
    """The cells from the root to `cell`."""
    path = []
    while cell >= 0:
        path.append(cell)
        cell = parents[cell]
    return path[::-1]
