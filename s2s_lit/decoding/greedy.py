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

    def __init__(
        self,
        *,
        max_length_ratio: float = 2.0,
        max_length_offset: int = 10,
        min_length: int = 0,
        no_repeat_ngram: int = 0,
    ) -> None:
        super().__init__(
            max_length_ratio=max_length_ratio,
            max_length_offset=max_length_offset,
            min_length=min_length,
            no_repeat_ngram=no_repeat_ngram,
        )

    def _choice(self, source_ids: Tensor, source_lengths: Tensor) -> Choice:
        return lambda log_probs, sentences, step: log_probs.argmax(dim=-1)
