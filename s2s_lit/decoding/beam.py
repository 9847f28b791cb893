"""Beam search, batched over sentences."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import overload

import torch
from torch import Tensor

from s2s_lit.decoding.search import Search
from s2s_lit.decoding.step import StepModel
from s2s_lit.decoding.topk import top_pieces
from s2s_lit.decoding.trellis import Trellis
from s2s_lit.errors import UserError
from s2s_lit.types import BOS, EOS

NEVER = -torch.inf


class BeamSearch(Search):
    """Keeps the `beam_size` likeliest open hypotheses of each sentence; ranks by log-probability normalized by length,

        score(Y) = log P(Y | X) / ((5 + |Y|) / 6) ** length_penalty,

    |Y| with its EOS (Wu et al. 2016, section 7, equation 14).

    In each step a hypothesis that takes EOS among the best `beam_size` continuations is finished, and the best
    `beam_size` others stay open. A sentence ends as soon as one of these holds:

    - `n_best` finished ones score at least as high as an open one ever can. An open one of log-probability p scores at
      most p / ((5 + cap) / 6) ** length_penalty, as p only falls and no output is longer than the cap. This saves
      steps and never changes the result;
    - `beam_size` hypotheses are finished (the usual rule, a heuristic unless the beam holds every hypothesis);
    - its cap is reached.

    Of equally likely continuations that of the better hypothesis goes first, then the lower id; more than 2 *
    `beam_size` equal ones of one hypothesis are cut arbitrarily, though every time alike.

    Args:
        beam_size: Open hypotheses of a sentence.
        n_best: Hypotheses to return, at most `beam_size`; fewer come back if no more were finished or open.
        length_penalty: Exponent of the length normalization; 0 ranks by log-probability.
        max_length_ratio: Longest output per source piece.
        max_length_offset: Pieces allowed on top of that.
    """

    def __init__(
        self,
        *,
        beam_size: int = 5,
        n_best: int = 1,
        length_penalty: float = 1.0,
        max_length_ratio: float = 2.0,
        max_length_offset: int = 10,
    ) -> None:
        super().__init__(max_length_ratio=max_length_ratio, max_length_offset=max_length_offset)
        if not 1 <= n_best <= beam_size:
            raise UserError(f"n_best must lie between 1 and beam_size ({beam_size}), but is {n_best}")
        if length_penalty < 0:
            raise UserError(f"length_penalty must not be negative, but is {length_penalty}")
        self.beam_size = beam_size
        self.n_best = n_best
        self.length_penalty = length_penalty

    def _fill(self, trellis: Trellis, model: StepModel, source_ids: Tensor, source_lengths: Tensor) -> None:
        memory, state = model.start(source_ids, source_lengths)
        beam = _Beam.start(trellis.roots, self.length_caps(source_lengths), self.beam_size)
        length = 0
        while len(beam.sentences):
            length += 1
            norm = normalizer(length, self.length_penalty)
            log_probs, weights, state = model.step(beam.tokens.flatten(), memory, state)
            trellis.attend(beam.cells, weights)
            beam, origins = self._advance(beam, log_probs, trellis, norm)
            ended = self._ended(beam, length)
            if ended.any():
                self._finish(beam.select(ended.nonzero().squeeze(1)), trellis, norm)
                rows = (~ended).nonzero().squeeze(1)
                beam, origins, memory = beam.select(rows), origins[rows], memory.select(rows)
            state = state.select(origins.flatten())

    def _advance(self, beam: _Beam, log_probs: Tensor, trellis: Trellis, norm: float) -> tuple[_Beam, Tensor]:
        """The beam one piece later, and the state's row from which each of its open hypotheses comes, [A, W']."""
        size, width = beam.tokens.shape
        totals, slots, tokens = best_continuations(
            log_probs.view(size, width, -1), beam.log_probs, 2 * self.beam_size
        )  # [A, C] each, best first
        cells, is_end = beam.cells.gather(1, slots), tokens == EOS

        # 1. Those among the best K that take EOS join the finished ones, of which the best K stay.
        ends = totals.where(is_end, NEVER)[:, : self.beam_size]
        done_scores = torch.cat([beam.done_scores, ends / norm], dim=1)
        done_scores, order = done_scores.sort(dim=1, descending=True, stable=True)
        done = torch.cat([beam.done_log_probs, ends], dim=1).gather(1, order)
        done_cells = torch.cat([beam.done_cells, cells[:, : self.beam_size]], dim=1).gather(1, order)

        # 2. The best K of the others stay open; there are that many, as each hypothesis has one EOS among its pieces.
        kept = is_end.int().sort(dim=1, stable=True).indices[:, : min(self.beam_size, totals.shape[1] - width)]
        tokens, slots = tokens.gather(1, kept), slots.gather(1, kept)
        advanced = _Beam(
            sentences=beam.sentences,
            caps=beam.caps,
            tokens=tokens,
            log_probs=totals.gather(1, kept),
            cells=trellis.grow(tokens, cells.gather(1, kept)),
            done_scores=done_scores[:, : self.beam_size],
            done_log_probs=done[:, : self.beam_size],
            done_cells=done_cells[:, : self.beam_size],
        )
        return advanced, slots + width * torch.arange(size, device=slots.device).unsqueeze(1)

    def _ended(self, beam: _Beam, length: int) -> Tensor:
        """Which sentences end now, [A]."""
        bound = beam.log_probs[:, 0] / normalizer(beam.caps, self.length_penalty)
        settled = beam.done_scores[:, self.n_best - 1] >= bound
        full = beam.done_scores[:, -1] > NEVER
        return settled | full | (beam.caps <= length)

    def _finish(self, beam: _Beam, trellis: Trellis, norm: float) -> None:
        """Hand over the best of the ended sentences: finished hypotheses first, then open ones."""
        scores = torch.cat([beam.done_scores, beam.log_probs / norm], dim=1)
        log_probs = torch.cat([beam.done_log_probs, beam.log_probs], dim=1)
        cells = torch.cat([beam.done_cells, beam.cells], dim=1)
        best = (scores == NEVER).int().sort(dim=1, stable=True).indices[:, : self.n_best]
        finished = best < self.beam_size
        trellis.end(beam.sentences, cells.gather(1, best), scores.gather(1, best), log_probs.gather(1, best), finished)


@dataclass(frozen=True)
class _Beam:
    """The sentences still searched (A), their open hypotheses (W, best first) and finished ones (K, best first)."""

    sentences: Tensor  # [A] their places in the batch
    caps: Tensor  # [A]
    tokens: Tensor  # [A, W] last pieces
    log_probs: Tensor  # [A, W]
    cells: Tensor  # [A, W] in the trellis
    done_scores: Tensor  # [A, K], NEVER in empty places
    done_log_probs: Tensor  # [A, K]
    done_cells: Tensor  # [A, K]

    @classmethod
    def start(cls, roots: Tensor, caps: Tensor, beam_size: int) -> _Beam:
        """One open hypothesis a sentence, BOS; the beam fills with the first steps."""
        cells = roots.unsqueeze(1)
        log_probs = torch.zeros(cells.shape, device=roots.device)
        none = log_probs.new_full((len(roots), beam_size), NEVER)
        return cls(roots, caps, torch.full_like(cells, BOS), log_probs, cells, none, none, cells.expand_as(none))

    def select(self, rows: Tensor) -> _Beam:
        return _Beam(**{field.name: getattr(self, field.name).index_select(0, rows) for field in fields(self)})


@overload
def normalizer(length: int, length_penalty: float) -> float: ...
@overload
def normalizer(length: Tensor, length_penalty: float) -> Tensor: ...
def normalizer(length: int | Tensor, length_penalty: float) -> float | Tensor:
    """What a log-probability over `length` pieces is divided by: ((5 + length) / 6) ** length_penalty."""
    return ((5 + length) / 6) ** length_penalty


def best_continuations(log_probs: Tensor, sums: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The likeliest `count` (or all, if fewer) one-piece continuations of each sentence's hypotheses.

    Args:
        log_probs: [A, W, V] of the next piece after each hypothesis.
        sums: [A, W] log-probabilities of the hypotheses.
        count: C, how many to find.

    Returns:
        Their log-probabilities, the hypotheses' slots and the new pieces, [A, C] each, best first.
    """
    per_hypothesis = min(count, log_probs.shape[-1])
    values, tokens = top_pieces(log_probs, per_hypothesis)
    tokens, order = tokens.sort(dim=-1)  # so that of equal ones the lower id goes first
    totals = (sums.unsqueeze(-1) + values.gather(-1, order)).flatten(1)
    totals, best = totals.sort(dim=1, descending=True, stable=True)
    totals, best = totals[:, :count], best[:, :count]
    return totals, best // per_hypothesis, tokens.flatten(1).gather(1, best)
