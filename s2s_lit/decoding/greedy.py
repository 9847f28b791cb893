"""Greedy search: the likeliest token, again and again."""

from __future__ import annotations

from torch import Tensor

from s2s_lit.decoding.independent import Choice, IndependentSearch


class GreedySearch(IndependentSearch):
    """Takes the likeliest next token until EOS or the cap; one hypothesis a sentence, its score is its log-probability.

    Of equally likely tokens the lowest id is taken.

    Args:
        max_length_ratio: Longest output per source token.
        max_length_offset: Tokens allowed on top of that.
        min_length: Fewest tokens of an output, EOS counted; the cap wins over it.
        no_repeat_ngram: n, so that no n successive tokens stand twice in an output; 0 allows it.
    """

    def _choice(self, source_ids: Tensor, source_lengths: Tensor) -> Choice:
        return lambda log_probs, sentences, step: log_probs.argmax(dim=-1)
