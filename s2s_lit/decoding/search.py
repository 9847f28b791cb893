"""What every search is: from sources to ranked hypotheses, with one rule for the longest output."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from s2s_lit.decoding.constraints import MinimumLength, NoRepeatedNgram
from s2s_lit.decoding.step import StepModel
from s2s_lit.decoding.trellis import Trellis
from s2s_lit.errors import UserError
from s2s_lit.types import Hypothesis


class Search(ABC):
    """Finds likely outputs of a model for a batch of sources.

    The longest output of a sentence is a function of its own source, in tokens with EOS counted in both,

        cap = max(1, floor(max_length_ratio * source_length + max_length_offset)),

    so that no result depends on the batch a sentence is in. A hypothesis that has not ended at its cap is returned
    as it is, `finished=False`, without the EOS's probability, and after all finished ones of the sentence.

    Args:
        max_length_ratio: Longest output per source token.
        max_length_offset: Tokens allowed on top of that.
        min_length: Fewest tokens of an output, EOS counted; the cap wins over it.
        no_repeat_ngram: n, so that no n successive tokens stand twice in an output; 0 allows it.
    """

    def __init__(
        self,
        *,
        max_length_ratio: float = 2.0,
        max_length_offset: int = 10,
        min_length: int = 0,
        no_repeat_ngram: int = 0,
    ) -> None:
        for name, value in {
            "max_length_ratio": max_length_ratio,
            "min_length": min_length,
            "no_repeat_ngram": no_repeat_ngram,
        }.items():
            if value < 0:
                raise UserError(f"{name} must not be negative, but is {value}")
        self.max_length_ratio = max_length_ratio
        self.max_length_offset = max_length_offset
        self.min_length = min_length
        self.no_repeat_ngram = no_repeat_ngram

    @torch.no_grad()
    def __call__(
        self, model: StepModel, source_ids: Tensor, source_lengths: Tensor, *, keep_weights: bool = False
    ) -> list[list[Hypothesis]]:
        """Search each of the sources [B, S] of `source_lengths` [B] tokens.

        The model is used as it is: put it into evaluation mode first.

        Returns:
            For each sentence its hypotheses, best first; with `keep_weights` and a model that attends, each has the
            weights [tokens (+ 1 for EOS), source_length] on the CPU. Impossible ones (probability 0) are left out.
        """
        trellis = Trellis(source_lengths, keep_weights)
        self._fill(trellis, self._constrained(model), source_ids, source_lengths)
        return trellis.hypotheses()

    @abstractmethod
    def _fill(self, trellis: Trellis, model: StepModel, source_ids: Tensor, source_lengths: Tensor) -> None:
        """Run the search, keeping tokens and outcomes in the trellis."""

    def _constrained(self, model: StepModel) -> StepModel:
        """The model under the constraints that are set; itself if there are none."""
        if self.no_repeat_ngram:
            model = NoRepeatedNgram(model, self.no_repeat_ngram)
        if self.min_length > 1:
            model = MinimumLength(model, self.min_length)
        return model

    def length_caps(self, source_lengths: Tensor) -> Tensor:
        """The longest output, EOS counted, for each of the `source_lengths`: [B] -> [B]."""
        caps = source_lengths * self.max_length_ratio + self.max_length_offset
        return caps.floor().long().clamp(min=1)
