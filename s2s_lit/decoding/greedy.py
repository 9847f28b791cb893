"""Greedy search: the likeliest piece, again and again."""

from __future__ import annotations

from torch import Tensor

from s2s_lit.decoding.paths import Choice, PathSearch


class GreedySearch(PathSearch):
    """Takes the likeliest next piece until EOS or the cap; one hypothesis a sentence, its score is its log-probability.

    Of equally likely pieces the lowest id is taken.

    Args:
        max_length_ratio: Longest output per source piece.
        max_length_offset: Pieces allowed on top of that.
        min_length: Fewest pieces of an output, EOS counted; the cap wins over it.
        no_repeat_ngram: n, so that no n successive pieces stand twice in an output; 0 allows it.
    """

    def _choice(self, source_ids: Tensor, source_lengths: Tensor) -> Choice:
        return lambda log_probs, sentences, step: log_probs.argmax(dim=-1)
