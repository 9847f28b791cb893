"""What a model thinks of given outputs: forced scoring, step by step."""

from __future__ import annotations

import torch
from torch import Tensor

from s2s_lit.decoding.step import StepModel
from s2s_lit.types import Inputs, Target


@torch.no_grad()
def forced_log_probs(model: StepModel, inputs: Inputs, target: Target) -> Tensor:
    """The log-probability of each token of given targets, by the same steps a search takes.

    Summed over its tokens, EOS included, it is the `log_prob` of the hypothesis that a search returns.

    Args:
        model: In evaluation mode.
        inputs: Of B examples.
        target: N targets; with N = B * K the K targets of an example lie side by side.

    Returns:
        [N, T], 0 at padding.
    """
    encoded, state = model.start(inputs)
    examples = torch.arange(inputs.size, device=target.ids.device)
    state = state.select(examples.repeat_interleave(len(target.ids) // inputs.size))
    columns = []
    for tokens, following in zip(target.inputs.unbind(dim=1), target.ids.unbind(dim=1), strict=True):
        log_probs, _, state = model.step(tokens, encoded, state)
        columns.append(log_probs.gather(1, following.unsqueeze(1)).squeeze(1))
    return torch.stack(columns, dim=1).where(target.mask, 0.0)
