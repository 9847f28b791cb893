"""An output layer that may copy a source token (pointer-generator: See, Liu & Manning 2017, section 2.2)."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from s2s_lit.errors import SettingError
from s2s_lit.nn.outputs.base import Output
from s2s_lit.types import at_least_float32

NOTHING = 1e-30
"""Attention below this is taken for none: its logarithm's slope would not be a float32."""


class PointerOutput(Output):
    """P(w) = p_gen softmax(W feature + b)(w) + (1 - p_gen) sum over source positions s with token w of weights[s].

    p_gen = sigmoid(w feature + b)  (See 2017, equations 8 and 9; there p_gen also sees context, state and input, of
    which the feature is made here). The logits are log P. Source and target tokens must be the same, and an attention
    must point at them; tokens in no vocabulary are not copied, so use one of subwords.

    Args:
        feature_size: F, size of one feature.
        vocab_size: V, number of tokens of both sides.
    """

    copies: ClassVar[bool] = True

    def __init__(self, feature_size: int, vocab_size: int) -> None:
        super().__init__()
        self.layer = nn.Linear(feature_size, vocab_size)
        self.gate = nn.Linear(feature_size, 1)

    def forward(
        self,
        features: Float[Tensor, "M F"],
        weights: Float[Tensor, "M S"] | None,
        source_ids: Int[Tensor, "M S"] | None,
    ) -> Float[Tensor, "M V"]:
        if weights is None or source_ids is None:
            raise SettingError("PointerOutput has no attention to point with: set decoder.attention")
        gate = at_least_float32(self.gate(features))  # [M, 1]
        generated = at_least_float32(self.layer(features)).log_softmax(dim=-1) + F.logsigmoid(gate)  # [M, V]
        weights = weights.to(generated.dtype)
        mass = torch.zeros_like(generated).scatter_add(1, source_ids, weights).gather(1, source_ids)  # [M, S]
        some = mass > NOTHING
        mass = mass.where(some, torch.ones_like(mass))
        # log(g + c) = log g + softplus(log c - log g) for the few tokens with something to copy. A token that stands
        # at several positions gets the term once, in shares that add up to one (and thus have no gradient).
        ratio = mass.log() + F.logsigmoid(-gate) - generated.gather(1, source_ids)
        shares = (weights / mass).detach()
        return generated.scatter_add(1, source_ids, F.softplus(ratio) * shares.where(some, torch.zeros_like(mass)))
