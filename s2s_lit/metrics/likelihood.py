"""How likely a model finds the references."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor
from torchmetrics import Metric

from s2s_lit.metrics.score import Score


def words_in(text: str) -> int:
    """What stands between white space, and the ends of the lines."""
    return sum(len(line.split()) + 1 for line in text.split("\n"))


class Likelihood(Metric):
    """Loss, perplexity and accuracies, from sums over all real target tokens (EOS included), teacher forced.

        loss = nll_sum / tokens  (nats per token),  perplexity = exp(loss),
        token_accuracy = tokens whose most likely token is right / tokens,
        sequence_accuracy = sentences with every token right / sentences.

    All are NaN where nothing was counted.
    """

    scores: ClassVar[tuple[Score, ...]] = (
        Score("loss", "loss (nats per token)", "{:.4f}", higher_is_better=False),
        Score("perplexity", "perplexity", "{:.3f}", higher_is_better=False),
        Score("token_accuracy", "token accuracy", "{:.2%}", higher_is_better=True),
        Score("sequence_accuracy", "sequence accuracy", "{:.2%}", higher_is_better=True),
    )
    full_state_update = False
    nll_sum: Tensor
    counts: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("nll_sum", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        # tokens right, tokens, sentences right, sentences
        self.add_state("counts", torch.zeros(4, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, nll_sum: Tensor, hits: Tensor, mask: Tensor) -> None:
        """Add a batch.

        Args:
            nll_sum: the negative log-likelihoods of its M tokens in nats, summed: [].
            hits: whether the most likely token is the right one: boolean [M].
            mask: where the M tokens lie, sentence by sentence: boolean [B, T].
        """
        self.nll_sum += nll_sum.detach().to(self.nll_sum.dtype)
        misses = mask.new_zeros(mask.shape).masked_scatter(mask, ~hits)
        sentences = mask.any(dim=1)
        right = (sentences & ~misses.any(dim=1)).sum()
        self.counts += torch.stack([hits.sum(), mask.sum(), right, sentences.sum()])

    def compute(self) -> dict[str, Tensor]:
        hits, tokens, right, sentences = self.counts
        loss = self.nll_sum / tokens
        values = (loss, loss.exp(), hits / tokens, right / sentences)
        return {score.name: value for score, value in zip(Likelihood.scores, values, strict=True)}


class TextLikelihood(Likelihood):
    """The same, with the perplexity by word: exp(nll_sum / words), words being what stands between white space.

    It does not depend on how words are cut into tokens, so that vocabularies can be compared. The end of each line
    counts as a word, as it costs too.
    """

    scores: ClassVar[tuple[Score, ...]] = (
        *Likelihood.scores[:2],
        Score("word_perplexity", "perplexity (by word)", "{:.3f}", higher_is_better=False),
        *Likelihood.scores[2:],
    )
    words: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("words", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def count_words(self, texts: Iterable[str]) -> None:
        """Add the words of a batch's texts, of one line or several, and the ends of the lines."""
        self.words += sum(map(words_in, texts))

    def compute(self) -> dict[str, Tensor]:
        found = super().compute()
        return {**found, "word_perplexity": (self.nll_sum / self.words).exp()}
