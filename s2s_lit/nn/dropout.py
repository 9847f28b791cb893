"""Dropout over sequences: a mask for each position, or one for all positions of a sequence."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from s2s_lit.checks import below_one


class SequenceDropout(nn.Module):
    """y_t = x_t * m_t / (1 - p),  m_t ~ Bernoulli(1 - p) for each activation; y = x in evaluation.

    Standard dropout (Srivastava 2014) draws m_t anew at each position, variational dropout (Gal & Ghahramani 2016,
    section 4) once for each sequence, m_t = m.

    Whoever has the whole sequence calls the module. Whoever steps through it, because a position's input depends on
    the position before, draws the masks of all steps beforehand, whatever the kind, and multiplies by that of step t:

        masks = self.dropout.masks(inputs)  # [B, T, H], as the tensor whose activations are dropped
        for t in range(T):
            dropped = position[t] * masks[:, t]

    Args:
        probability: Share p of activations that is dropped.
        variational: One mask for all positions of a sequence.
    """

    def __init__(self, probability: float = 0.0, *, variational: bool = False) -> None:
        super().__init__()
        self.probability = below_one("dropout", probability)
        self.variational = variational

    def forward(self, inputs: Float[Tensor, "*B T H"]) -> Float[Tensor, "*B T H"]:
        """Drop; a tensor of two axes is one position of each of its rows (a step)."""
        if self.variational and inputs.ndim > 2 and self.training and self.probability:
            return inputs * self.masks(inputs)
        return F.dropout(inputs, self.probability, self.training)

    def masks(self, inputs: Float[Tensor, "*B T H"]) -> Float[Tensor, "*B T H"]:
        """What multiplies the activations of `inputs`, of which only the shape matters here."""
        positions = 1 if self.variational else inputs.shape[-2]
        ones = inputs.new_ones(*inputs.shape[:-2], positions, inputs.shape[-1])
        return F.dropout(ones, self.probability, self.training).expand(inputs.shape)

    def extra_repr(self) -> str:
        return f"{self.probability}, variational={self.variational}"
