"""Diverse beam search: groups of hypotheses that keep away from each other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from s2s_lit.checks import at_least
from s2s_lit.decoding.beam import NEVER, Beam, BeamSearch, Continuations, advance
from s2s_lit.decoding.trellis import Trellis
from s2s_lit.errors import SettingError


@dataclass(kw_only=True)
class DiverseBeamSearch(BeamSearch):
    """Beam search by `groups` of `beam_size / groups` hypotheses, one group after the other in each step.

    A group chooses its continuations by log P - diversity_strength * count, where count is how many open hypotheses of
    the groups before it have just taken the same token (Hamming diversity: Vijayakumar et al. 2018, section 4,
    algorithm 1 and equation 5). The choice alone is changed: log-probabilities and scores stay as in `BeamSearch`,
    where EOS is no token that could be taken. One group is `BeamSearch`.

    The hypotheses of all groups are ranked together and one that several groups found is returned once. A sentence
    ends by the rules of `BeamSearch` over all groups, though not before `n_best` different ones are finished or its
    cap is reached.

    Args:
        groups: G; divides `beam_size`.
        diversity_strength: What a hypothesis that took the same token costs, in nats.
        beam_size: Open hypotheses of a sentence, all groups together.
    """

    groups: int = 3
    diversity_strength: float = 0.5
    beam_size: int = 6

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups < 1 or self.beam_size % self.groups:
            raise SettingError(f"groups must divide beam_size ({self.beam_size}), but is {self.groups}")
        at_least("diversity_strength", self.diversity_strength, 0)

    def _advance(self, beam: Beam, following: Continuations, trellis: Trellis) -> tuple[Beam, Tensor]:
        handicaps = torch.zeros_like(following.log_probs[:, 0])  # [A, V]
        advanced, slots = [], []
        width = beam.tokens.shape[1]
        each = max(width // self.groups, 1)
        for group in range(self.groups):
            first = 0 if width == 1 else group * each  # all groups begin with the one BOS
            part, origins = advance(
                self._part(beam, group, slice(first, first + each)),
                following.part(slice(first, first + each), handicaps if group else None),
                trellis,
                self.beam_size // self.groups,
            )
            advanced.append(part)
            slots.append(origins + first)
            costs = torch.full_like(part.log_probs, self.diversity_strength)
            handicaps = handicaps.scatter_add(1, part.tokens, costs)
        joined = replace(beam, **{name: torch.cat([getattr(p, name) for p in advanced], dim=1) for name in OPEN + DONE})
        origins = torch.cat(slots, dim=1)
        return _one_cell_each(joined, beam.cells.gather(1, origins)), origins

    def _part(self, beam: Beam, group: int, opened: slice) -> Beam:
        """The columns of one group."""
        size = self.beam_size // self.groups
        done = slice(group * size, (group + 1) * size)
        columns = {name: getattr(beam, name)[:, opened] for name in OPEN}
        return replace(beam, **columns, **{name: getattr(beam, name)[:, done] for name in DONE})

    def _ended(self, beam: Beam, length: int) -> Tensor:
        ranked = _ranked(beam)
        full = (beam.done_scores > NEVER).all(dim=1) & (ranked.done_scores[:, self.n_best - 1] > NEVER)
        return full | super()._ended(ranked, length)

    def _finish(self, beam: Beam, trellis: Trellis) -> None:
        super()._finish(_ranked(beam), trellis)


OPEN, DONE = ("tokens", "log_probs", "scores", "cells"), ("done_scores", "done_log_probs", "done_cells")
"""The columns of a beam: those of open hypotheses and those of finished ones, group after group."""


def _one_cell_each(beam: Beam, parents: Tensor) -> Beam:
    """Equal hypotheses of different groups in one cell, that of the first: the same token after the same cell."""
    equal = (beam.tokens.unsqueeze(2) == beam.tokens.unsqueeze(1)) & (parents.unsqueeze(2) == parents.unsqueeze(1))
    return replace(beam, cells=beam.cells.gather(1, equal.int().argmax(dim=2)))  # of equal ones, argmax is the first


def _ranked(beam: Beam) -> Beam:
    """The hypotheses of all groups together, best first; of equal ones all but one have become impossible."""
    open_twins = _twins(beam.cells, beam.log_probs)
    log_probs, order = beam.log_probs.masked_fill(open_twins, NEVER).sort(dim=1, descending=True, stable=True)
    done_twins = _twins(beam.done_cells, beam.done_scores)
    done_scores, done_order = beam.done_scores.masked_fill(done_twins, NEVER).sort(dim=1, descending=True, stable=True)
    return replace(
        beam,
        tokens=beam.tokens.gather(1, order),
        log_probs=log_probs,
        scores=beam.scores.masked_fill(open_twins, NEVER).gather(1, order),
        cells=beam.cells.gather(1, order),
        done_scores=done_scores,
        done_log_probs=beam.done_log_probs.gather(1, done_order),
        done_cells=beam.done_cells.gather(1, done_order),
    )


def _twins(cells: Tensor, scores: Tensor) -> Tensor:
    """Which hypotheses equal a real one in a column before theirs, [A, K]."""
    equal = (cells.unsqueeze(2) == cells.unsqueeze(1)) & (scores > NEVER).unsqueeze(1)
    return equal.tril(diagonal=-1).any(dim=2)
