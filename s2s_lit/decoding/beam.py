"""Beam search, batched over sentences."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from s2s_lit.decoding.search import Search
from s2s_lit.decoding.step import StepModel
from s2s_lit.decoding.trellis import Trellis
from s2s_lit.errors import UserError
from s2s_lit.types import BOS, EOS, TensorMap

NEVER = -torch.inf


class BeamSearch(Search):
    """Keeps the `beam_size` likeliest open hypotheses of each sentence, and ranks finished ones by length-normalized score

        score(Y) = log P(Y | X) / ((5 + |Y|) / 6) ** length_penalty,

    |Y| with its EOS (Wu et al. 2016, section 7, equation 14).

    In each step a hypothesis that takes EOS among the best `beam_size` continuations is finished, and the best
    `beam_size` others stay open. A sentence ends as soon as one of these holds:

    - `n_best` finished ones score at least as high as an open one ever can. An open one of log-probability p scores at
      most p / ((5 + cap) / 6) ** length_penalty, as p only falls and no output is longer than the cap. This saves
      steps and never changes the result;
    - `beam_size` hypotheses are finished (the usual rule, a heuristic unless the beam holds every hypothesis);
    - its cap is reached.

    Of equal continuations the one of the better hypothesis, then the lower id, goes first.

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
        caps = self.length_caps(source_lengths)
        beam = _Beam.start(trellis, caps, self.beam_size)
        step = 0
        while len(beam.sentences):
            step += 1
            log_probs, weights, state = model.step(beam.tokens.flatten(), memory, state)
            trellis.attend(beam.cells, weights)
            beam, parents = self._advance(beam, log_probs, trellis, normalizer(step, self.length_penalty))
            ended = self._ended(beam, step)
            if ended.any():
                self._finish(beam.select(ended), trellis, normalizer(step, self.length_penalty))
                rows = (~ended).nonzero().squeeze(1)
                beam, parents, memory = beam.select(rows), parents[rows], memory.select(rows)
            state = state.select(parents.flatten())

    def _advance(
        self, beam: _Beam, log_probs: Tensor, trellis: Trellis, norm: Tensor | float
    ) -> tuple[_Beam, Tensor]:
        """One step of the beam; also the state row [A, W'] that each open hypothesis comes from."""
        ...
