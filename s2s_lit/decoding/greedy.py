"""Greedy search: the likeliest token, again and again."""

from __future__ import annotations

from torch import Tensor

from s2s_lit.decoding.independent import Choice, IndependentSearch
from s2s_lit.types import Inputs


class GreedySearch(IndependentSearch):
    """Takes the likeliest next token until EOS or the cap; one hypothesis a sentence, its score is its log-probability.

    Of equally likely tokens the lowest id is taken.
    """

    def _choice(self, inputs: Inputs, caps: Tensor) -> Choice:
        return lambda log_probs, sentences, step: log_probs.argmax(dim=-1)
