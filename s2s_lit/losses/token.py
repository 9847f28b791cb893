"""The negative log-likelihood of tokens."""

from __future__ import annotations

from s2s_lit.checks import below_one
from s2s_lit.losses.base import Loss, LossResult
from s2s_lit.types import Batch, ModelOutput, at_least_float32


class TokenNLL(Loss):
    """Cross-entropy with label smoothing (Szegedy 2016, section 7).

    objective = (1 - e) * nll + e * mean over v of -log p(v),  nll = -log p(target)

    Args:
        label_smoothing: Share e of probability spread evenly over all tokens.

    Raises:
        SettingError: e is not at least 0 and below 1.
    """

    def __init__(self, *, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = below_one("task.loss.label_smoothing", label_smoothing)

    def forward(self, output: ModelOutput, batch: Batch) -> LossResult:
        targets = batch.target.tokens
        log_probs = at_least_float32(output.logits).log_softmax(dim=-1)
        chosen = log_probs.gather(1, targets.unsqueeze(1))
        nll = -chosen.sum()
        objective = nll
        if self.training and self.label_smoothing:
            objective = (1 - self.label_smoothing) * nll - self.label_smoothing * log_probs.mean(dim=-1).sum()
        return LossResult(objective, nll.detach(), targets.numel(), chosen.detach().squeeze(1))
