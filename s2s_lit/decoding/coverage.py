"""How much of the source an output has looked at."""

from __future__ import annotations

import torch
from torch import Tensor

from s2s_lit.decoding.step import StepModel
from s2s_lit.errors import UserError
from s2s_lit.types import DecoderState, Encoded, Inputs

COVERAGE = "accumulated_attention.coverage"


class AccumulatedAttention:
    """A StepModel that remembers what the attention of each hypothesis has summed to.

    coverage[s] = sum over the tokens so far of weights[token, s], and 1 at padding: nothing is left to see there.

    Args:
        model: The one whose attention is watched.
    """

    def __init__(self, model: StepModel) -> None:
        self.model = model

    def start(self, inputs: Inputs) -> tuple[Encoded, DecoderState]:
        encoded, state = self.model.start(inputs)
        return encoded, state.updated(**{COVERAGE: (~encoded["mask"]).float()})

    def step(self, tokens: Tensor, encoded: Encoded, state: DecoderState) -> tuple[Tensor, Tensor | None, DecoderState]:
        log_probs, weights, after = self.model.step(tokens, encoded, state)
        if weights is None:
            raise UserError("coverage_penalty needs an attention, which this model has not: set it to 0")
        return log_probs, weights, after.updated(**{COVERAGE: state[COVERAGE] + weights})


def coverage_term(state: DecoderState) -> Tensor:
    """sum over s of log min(coverage[s], 1), [N]: 0 if every source token was looked at, never above (Wu et al. 2016,
    section 7, equation 14)."""
    coverage = state[COVERAGE]
    smallest = torch.finfo(coverage.dtype).tiny  # what a local attention never saw must not make a score infinite
    return coverage.clamp(smallest, 1.0).log().sum(dim=-1)
