"""Beam search, batched over sentences."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import overload

import torch
from torch import Tensor

from s2s_lit.checks import at_least, within
from s2s_lit.decoding.coverage import AccumulatedAttention, coverage_term
from s2s_lit.decoding.search import Search
from s2s_lit.decoding.step import StepModel
from s2s_lit.decoding.topk import top_tokens
from s2s_lit.decoding.trellis import Trellis
from s2s_lit.errors import SettingError
from s2s_lit.types import BOS, EOS, DecoderState, Encoded, Inputs

NEVER = -torch.inf


@dataclass(kw_only=True)
class BeamSearch(Search):
    """Keeps the `beam_size` likeliest open hypotheses of each sentence; ranks by log-probability normalized by length,

        score(Y) = log P(Y | X) / ((5 + |Y|) / 6) ** length_penalty + coverage_penalty * coverage(X, Y),
        coverage(X, Y) = sum over source tokens s of log min(sum over t of weights[t, s], 1),

    |Y| with its EOS, t over the tokens of Y and its EOS (Wu et al. 2016, section 7, equation 14). The coverage ranks
    finished outputs; which hypotheses stay open is decided by log-probability alone.

    In each step a hypothesis that takes EOS among the best `beam_size` continuations is finished, and the best
    `beam_size` others stay open. A sentence ends as soon as one of these holds:

    - `n_best` finished ones score at least as high as an open one ever can. An open one of log-probability p scores at
      most p / ((5 + cap) / 6) ** length_penalty, as p only falls, no output is longer than the cap and a coverage is
      never above 0. This saves steps and never changes the result;
    - `beam_size` hypotheses are finished (the usual rule, a heuristic unless the beam holds every hypothesis);
    - its cap is reached.

    Of equally likely continuations that of the better hypothesis goes first, then the lower id; more than 2 *
    `beam_size` equal ones of one hypothesis are cut arbitrarily, though every time alike.

    Args:
        beam_size: Open hypotheses of a sentence.
        n_best: Hypotheses to return, at most `beam_size`; fewer come back if no more were finished or open.
        length_penalty: Exponent of the length normalization; 0 ranks by log-probability.
        coverage_penalty: Weight of the coverage; 0 leaves it out, above it the model needs an attention.
    """

    beam_size: int = 5
    n_best: int = 1
    length_penalty: float = 1.0
    coverage_penalty: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("beam_size", self.beam_size, 1)
        if not 1 <= self.n_best <= self.beam_size:
            raise SettingError(f"n_best must lie between 1 and beam_size ({self.beam_size}), but is {self.n_best}")
        within("length_penalty", self.length_penalty, 0, 10)
        at_least("coverage_penalty", self.coverage_penalty, 0)

    def _constrained(self, model: StepModel) -> StepModel:
        return super()._constrained(AccumulatedAttention(model) if self.coverage_penalty else model)

    def _fill(self, trellis: Trellis, model: StepModel, inputs: Inputs, encoded: Encoded, state: DecoderState) -> None:
        beam = Beam.start(trellis.roots, self.length_caps(trellis.lengths), self.beam_size)
        length = 0
        while len(beam.sentences):
            length += 1
            log_probs, weights, state = model.step(beam.tokens.flatten(), encoded, state)
            trellis.attend(beam.cells, weights)
            size, width = beam.tokens.shape
            continuations = Continuations(
                log_probs.view(size, width, -1),
                normalizer(length, self.length_penalty),
                self.coverage_penalty * coverage_term(state).view(size, width) if self.coverage_penalty else None,
            )
            beam, slots = self._advance(beam, continuations, trellis)
            origins = slots + width * torch.arange(size, device=slots.device).unsqueeze(1)  # rows of the state
            ended = self._ended(beam, length)
            if ended.any():
                self._finish(beam.select(ended.nonzero().squeeze(1)), trellis)
                rows = (~ended).nonzero().squeeze(1)
                beam, origins, encoded = beam.select(rows), origins[rows], encoded.select(rows)
            state = state.select(origins.flatten())

    def _advance(self, beam: Beam, following: Continuations, trellis: Trellis) -> tuple[Beam, Tensor]:
        """The beam one token later, and the slots from which its open hypotheses come, [A, W']."""
        return advance(beam, following, trellis, self.beam_size)

    def _ended(self, beam: Beam, length: int) -> Tensor:
        """Which sentences end now, [A]."""
        bound = beam.log_probs[:, 0] / normalizer(beam.caps, self.length_penalty)
        settled = beam.done_scores[:, self.n_best - 1] >= bound
        full = beam.done_scores[:, -1] > NEVER
        return settled | full | (beam.caps <= length)

    def _finish(self, beam: Beam, trellis: Trellis) -> None:
        """Hand over the best of the ended sentences: finished hypotheses first, then open ones."""
        opened, order = beam.scores.sort(dim=1, descending=True, stable=True)  # a coverage may change the order
        scores = torch.cat([beam.done_scores, opened], dim=1)
        log_probs = torch.cat([beam.done_log_probs, beam.log_probs.gather(1, order)], dim=1)
        cells = torch.cat([beam.done_cells, beam.cells.gather(1, order)], dim=1)
        best = (scores == NEVER).int().sort(dim=1, stable=True).indices[:, : self.n_best]
        finished = best < beam.done_scores.shape[1]
        trellis.end(beam.sentences, cells.gather(1, best), scores.gather(1, best), log_probs.gather(1, best), finished)


@dataclass(frozen=True)
class Beam:
    """The sentences still searched (A), their open (W, likeliest first) and finished hypotheses (K, best first)."""

    sentences: Tensor  # [A] their places in the batch
    caps: Tensor  # [A]
    tokens: Tensor  # [A, W] last tokens
    log_probs: Tensor  # [A, W]
    scores: Tensor  # [A, W] what they are worth if they end as they are
    cells: Tensor  # [A, W] in the trellis
    done_scores: Tensor  # [A, K], NEVER in empty places
    done_log_probs: Tensor  # [A, K]
    done_cells: Tensor  # [A, K]

    @classmethod
    def start(cls, roots: Tensor, caps: Tensor, beam_size: int) -> Beam:
        """One open hypothesis a sentence, BOS; the beam fills with the first steps."""
        cells = roots.unsqueeze(1)
        zeros = torch.zeros(cells.shape, device=roots.device)
        none = zeros.new_full((len(roots), beam_size), NEVER)
        return cls(roots, caps, torch.full_like(cells, BOS), zeros, zeros, cells, none, none, cells.expand_as(none))

    def select(self, rows: Tensor) -> Beam:
        return Beam(**{field.name: getattr(self, field.name).index_select(0, rows) for field in fields(self)})


@dataclass(frozen=True)
class Continuations:
    """What one step says of the tokens after each open hypothesis, and how their scores are made."""

    log_probs: Tensor  # [A, W, V]
    norm: float  # what a log-probability of this length is divided by
    bonuses: Tensor | None = None  # [A, W] added to the scores of all that follows a hypothesis
    handicaps: Tensor | None = None  # [A, V] taken off the log-probabilities where the likeliest are chosen

    def part(self, slots: slice, handicaps: Tensor | None) -> Continuations:
        """Those of some of the hypotheses, under their own handicaps."""
        bonuses = None if self.bonuses is None else self.bonuses[:, slots]
        return Continuations(self.log_probs[:, slots], self.norm, bonuses, handicaps)


def advance(beam: Beam, following: Continuations, trellis: Trellis, beam_size: int) -> tuple[Beam, Tensor]:
    """The beam one token later, and the slots from which its open hypotheses come, [A, W']."""
    totals, slots, tokens = best_continuations(
        following.log_probs, beam.log_probs, 2 * beam_size, following.handicaps
    )  # [A, C] each, best first
    cells, is_end = beam.cells.gather(1, slots), tokens == EOS
    scores = totals / following.norm
    if following.bonuses is not None:
        scores = scores + following.bonuses.gather(1, slots)

    # 1. Those among the best K that take EOS join the finished ones, of which the best K stay.
    is_done = is_end[:, :beam_size]
    done_scores = torch.cat([beam.done_scores, scores[:, :beam_size].where(is_done, NEVER)], dim=1)
    done_scores, order = done_scores.sort(dim=1, descending=True, stable=True)
    done = torch.cat([beam.done_log_probs, totals[:, :beam_size].where(is_done, NEVER)], dim=1).gather(1, order)
    done_cells = torch.cat([beam.done_cells, cells[:, :beam_size]], dim=1).gather(1, order)

    # 2. The best K of the others stay open; there are that many, as each hypothesis has one EOS among its tokens.
    kept = is_end.int().sort(dim=1, stable=True).indices[:, : min(beam_size, totals.shape[1] - beam.tokens.shape[1])]
    tokens, slots = tokens.gather(1, kept), slots.gather(1, kept)
    advanced = Beam(
        sentences=beam.sentences,
        caps=beam.caps,
        tokens=tokens,
        log_probs=totals.gather(1, kept),
        scores=scores.gather(1, kept),
        cells=trellis.grow(tokens, cells.gather(1, kept)),
        done_scores=done_scores[:, :beam_size],
        done_log_probs=done[:, :beam_size],
        done_cells=done_cells[:, :beam_size],
    )
    return advanced, slots


@overload
def normalizer(length: int, length_penalty: float) -> float: ...
@overload
def normalizer(length: Tensor, length_penalty: float) -> Tensor: ...
def normalizer(length: int | Tensor, length_penalty: float) -> float | Tensor:
    """What a log-probability over `length` tokens is divided by: ((5 + length) / 6) ** length_penalty."""
    return ((5 + length) / 6) ** length_penalty


def best_continuations(
    log_probs: Tensor, sums: Tensor, count: int, handicaps: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """The likeliest `count` (or all, if fewer) one-token continuations of each sentence's hypotheses.

    Args:
        log_probs: [A, W, V] of the next token after each hypothesis.
        sums: [A, W] log-probabilities of the hypotheses.
        count: C, how many to find.
        handicaps: [A, V] taken off each token's log-probability for the choice alone.

    Returns:
        Their log-probabilities, the hypotheses' slots and the new tokens, [A, C] each, best first.
    """
    per_hypothesis = min(count, log_probs.shape[-1])
    chosen_by = log_probs if handicaps is None else log_probs - handicaps.unsqueeze(1)
    values, tokens = top_tokens(chosen_by, per_hypothesis)
    tokens, order = tokens.sort(dim=-1)  # so that of equal ones the lower id goes first
    totals = (sums.unsqueeze(-1) + values.gather(-1, order)).flatten(1)
    totals, best = totals.sort(dim=1, descending=True, stable=True)
    totals, best = totals[:, :count], best[:, :count]
    slots, tokens = best // per_hypothesis, tokens.flatten(1).gather(1, best)
    if handicaps is not None:
        totals = sums.gather(1, slots) + log_probs.flatten(1).gather(1, slots * log_probs.shape[-1] + tokens)
    return totals, slots, tokens
