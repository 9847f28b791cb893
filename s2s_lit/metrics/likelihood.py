"""How likely a model finds the references."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric


class Likelihood(Metric):
    """Loss, perplexity and accuracy per target piece, from sums over all real pieces (EOS included).

        loss = nll_sum / count  (nats per piece),  perplexity = exp(loss),  token_accuracy = correct / count.

    All are NaN where nothing was counted.
    """

    names = ("loss", "perplexity", "token_accuracy")
    full_state_update = False
    nll_sum: Tensor
    correct: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("nll_sum", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("correct", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, nll_sum: Tensor, correct: Tensor, count: Tensor) -> None:
        """Add a batch: the sum of its pieces' negative log-likelihoods in nats, pieces predicted right, pieces."""
        self.nll_sum += nll_sum.to(self.nll_sum.dtype)
        self.correct += correct
        self.count += count

    def compute(self) -> dict[str, Tensor]:
        return likelihood(self.nll_sum, self.correct, self.count)


def likelihood(nll_sum: Tensor, correct: Tensor, count: Tensor) -> dict[str, Tensor]:
    """Loss in nats per piece, perplexity and token accuracy of the sums."""
    loss = nll_sum / count
    return {"loss": loss, "perplexity": loss.exp(), "token_accuracy": correct / count}
