"""Penalties on the decoder's hidden states: how large they are, and how fast they change.

Merity, McCann & Socher 2017, "Revisiting Activation Regularization for Language RNNs".
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from s2s_lit.checks import at_least
from s2s_lit.losses.penalty import Penalty
from s2s_lit.types import Batch, ModelOutput


class ActivationRegularization(Penalty):
    """AR: weight * sum over t of mean over units of h_t^2, h the last layer's states (Merity 2017, dropped out there).

    Args:
        weight: Alpha, of the term beside the tokens' likelihood.
    """

    name = "activation"

    def __init__(self, *, weight: float = 2.0) -> None:
        super().__init__()
        self.weight = at_least("task.penalties.weight", weight, 0)

    def forward(self, output: ModelOutput, batch: Batch) -> Float[Tensor, ""]:
        return self.weight * output.decoded.hidden[batch.target.mask].square().mean(dim=-1).sum()


class TemporalActivationRegularization(Penalty):
    """TAR: weight * sum over t of mean over units of (h_{t+1} - h_t)^2, both positions real (Merity 2017).

    Where targets are cut into windows of time steps, the change from one window to the next is not counted.

    Args:
        weight: Beta, of the term beside the tokens' likelihood.
    """

    name = "temporal_activation"

    def __init__(self, *, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = at_least("task.penalties.weight", weight, 0)

    def forward(self, output: ModelOutput, batch: Batch) -> Float[Tensor, ""]:
        hidden, mask = output.decoded.hidden, batch.target.mask
        changes = hidden[:, 1:] - hidden[:, :-1]
        return self.weight * changes[mask[:, 1:] & mask[:, :-1]].square().mean(dim=-1).sum()
