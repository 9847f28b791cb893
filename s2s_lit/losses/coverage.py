"""The loss of looking again at what was looked at (See, Liu & Manning 2017, section 2.3)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from s2s_lit.checks import at_least
from s2s_lit.errors import UserError
from s2s_lit.losses.penalty import Penalty
from s2s_lit.types import Batch, ModelOutput


class CoveragePenalty(Penalty):
    """weight * sum over t, s of min(a_ts, c_ts),  c_t = sum of a_t' over t' < t,  a the attention's weights.

    It follows from the weights alone, so that any attention can be trained with it. Where targets are cut into windows
    of time steps, each window is counted from zero.

    Args:
        weight: Factor of the sum over source positions; 1 in the paper.

    Raises:
        UserError: The model has no attention.
    """

    name = "coverage"

    def __init__(self, *, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = at_least("task.penalties.weight", weight, 0)

    def forward(self, output: ModelOutput, batch: Batch) -> Float[Tensor, ""]:
        weights = output.decoded.weights
        if weights is None:
            raise UserError("task.penalties: CoveragePenalty needs an attention: set model.decoder.attention")
        before = weights.cumsum(dim=1) - weights
        return self.weight * weights.minimum(before).sum(dim=-1).masked_select(batch.target.mask).sum()
