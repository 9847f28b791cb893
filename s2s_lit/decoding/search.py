"""What every search is: from inputs to ranked hypotheses, with one rule for the longest output."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from s2s_lit.checks import at_least, within
from s2s_lit.decoding.constraints import MinimumLength, NoRepeatedNgram, RealTokens
from s2s_lit.decoding.step import StepModel
from s2s_lit.decoding.trellis import Trellis
from s2s_lit.types import DecoderState, Encoded, Hypothesis, Inputs

LONGEST = 100_000
"""Tokens beyond which no setting may let an output grow."""


@dataclass(kw_only=True)
class Search(ABC):
    """Finds likely outputs of a model for a batch of examples.

    The longest output of a sentence is a function of its own input, in positions with EOS counted in both,

        cap = max(1, floor(max_length_ratio * length + max_length_offset)),

    length that of what the model attends to (0 for a model without an input),

    so that no result depends on the batch a sentence is in. A hypothesis that has not ended at its cap is returned
    as it is, `finished=False`, without the EOS's probability, and after all finished ones of the sentence. No output
    holds PAD or BOS.

    The settings are fields, so that a search has those of its base class too. A subclass is a dataclass like this one
    and checks its own settings in `__post_init__`.

    Args:
        max_length_ratio: Longest output per input position.
        max_length_offset: Tokens allowed on top of that.
        min_length: Fewest tokens of an output, EOS counted; the cap wins over it.
        no_repeat_ngram: n, so that no n successive tokens stand twice in an output; 0 allows every repetition.

    Raises:
        SettingError: A setting is out of its range.
    """

    max_length_ratio: float = 2.0
    max_length_offset: int = 10
    min_length: int = 0
    no_repeat_ngram: int = 0

    def __post_init__(self) -> None:
        within("max_length_ratio", self.max_length_ratio, 0, 100)
        within("max_length_offset", self.max_length_offset, -LONGEST, LONGEST)
        within("min_length", self.min_length, 0, LONGEST)
        at_least("no_repeat_ngram", self.no_repeat_ngram, 0)

    @torch.no_grad()
    def __call__(self, model: StepModel, inputs: Inputs, *, keep_weights: bool = False) -> list[list[Hypothesis]]:
        """Search outputs for the inputs of B examples.

        The model is used as it is: put it into evaluation mode first.

        Returns:
            For each sentence its hypotheses, best first; with `keep_weights` and a model that attends, each has the
            weights [tokens (+ 1 for EOS), input positions] on the CPU. Impossible ones (probability 0) are left out.
        """
        model = self._constrained(model)
        encoded, state = model.start(inputs)
        trellis = Trellis(encoded["mask"].sum(dim=1), keep_weights)
        self._fill(trellis, model, inputs, encoded, state)
        return trellis.hypotheses()

    @abstractmethod
    def _fill(self, trellis: Trellis, model: StepModel, inputs: Inputs, encoded: Encoded, state: DecoderState) -> None:
        """Run the search from where `start` left it, keeping tokens and outcomes in the trellis."""

    def _constrained(self, model: StepModel) -> StepModel:
        """The model under the constraints that are set, and never with PAD or BOS."""
        model = RealTokens(model)
        if self.no_repeat_ngram:
            model = NoRepeatedNgram(model, self.no_repeat_ngram)
        if self.min_length > 1:
            model = MinimumLength(model, self.min_length)
        return model

    def length_caps(self, lengths: Tensor) -> Tensor:
        """The longest output, EOS counted, for inputs of so many positions: [B] -> [B]."""
        caps = lengths * self.max_length_ratio + self.max_length_offset
        return caps.floor().long().clamp(min=1)
