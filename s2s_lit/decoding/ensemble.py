"""Several models as one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from s2s_lit.decoding.step import StepModel
from s2s_lit.types import DecoderState, Encoded, Inputs, TensorMap

Mean = Literal["probabilities", "log_probabilities"]


class Ensemble:
    """A StepModel whose next-token distribution is the mean of several models'.

    `probabilities`: P(token) = 1/M * sum over m of P_m(token); a token is likely if some member holds it so.
    `log_probabilities`: P(token) ~ exp(1/M * sum over m of log P_m(token)); it is likely if all members hold it so.

    The attention's weights are the mean of those members' that have any. What the members remember lies side by side in
    `Encoded` and state, `0.hidden`, `1.hidden`, ...

    Args:
        models: The members, with the same source and target tokens.
        mean: What is averaged.
    """

    def __init__(self, models: Sequence[StepModel], *, mean: Mean = "probabilities") -> None:
        self.models = list(models)
        self.mean = mean

    def start(self, inputs: Inputs) -> tuple[Encoded, DecoderState]:
        encoded, states = zip(*(model.start(inputs) for model in self.models), strict=True)
        return Encoded(mask=encoded[0]["mask"], **_side_by_side(encoded)), DecoderState(**_side_by_side(states))

    def step(self, tokens: Tensor, encoded: Encoded, state: DecoderState) -> tuple[Tensor, Tensor | None, DecoderState]:
        steps = [
            model.step(tokens, Encoded(**_of(encoded, member)), DecoderState(**_of(state, member)))
            for member, model in enumerate(self.models)
        ]
        log_probs = torch.stack([step[0] for step in steps])  # [M, N, V]
        weights = [step[1] for step in steps if step[1] is not None]
        if self.mean == "probabilities":
            mean = log_probs.logsumexp(dim=0) - math.log(len(steps))
        else:
            mean = log_probs.mean(dim=0).log_softmax(dim=-1)
        after = DecoderState(**_side_by_side([step[2] for step in steps]))
        return mean, torch.stack(weights).mean(dim=0) if weights else None, after


def _side_by_side(maps: Sequence[TensorMap]) -> dict[str, Tensor]:
    return {f"{member}.{name}": tensor for member, own in enumerate(maps) for name, tensor in own.items()}


def _of(everything: TensorMap, member: int) -> dict[str, Tensor]:
    """The tensors of one member, under the names it gave them."""
    prefix = f"{member}."
    return {name.removeprefix(prefix): tensor for name, tensor in everything.items() if name.startswith(prefix)}
