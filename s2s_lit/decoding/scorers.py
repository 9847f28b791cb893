"""What a model thinks of given outputs: forced scoring, step by step."""

from __future__ import annotations

import torch
from torch import Tensor

from s2s_lit.decoding.step import StepModel
from s2s_lit.types import BOS, length_mask


@torch.no_grad()
def forced_log_probs(
    model: StepModel, source_ids: Tensor, source_lengths: Tensor, target_ids: Tensor, target_lengths: Tensor
) -> Tensor:
    """The log-probability of each token of given targets, by the same steps a search takes.

    Summed over its tokens, EOS included, it is the `log_prob` of the hypothesis that a search returns.

    Args:
        model: In evaluation mode.
        source_ids: [B, S].
        source_lengths: [B].
        target_ids: [N, T] with EOS, padded; with N = B * K the K targets of a source lie side by side.
        target_lengths: [N], EOS counted.

    Returns:
        [N, T], 0 at padding.
    """
    encoded, state = model.start(source_ids, source_lengths)
    repeats = len(target_ids) // len(source_ids)
    state = state.select(torch.arange(len(source_ids), device=source_ids.device).repeat_interleave(repeats))
    tokens, columns = torch.full_like(target_ids[:, 0], BOS), []
    for target in target_ids.unbind(dim=1):
        log_probs, _, state = model.step(tokens, encoded, state)
        columns.append(log_probs.gather(1, target.unsqueeze(1)).squeeze(1))
        tokens = target
    mask = length_mask(target_lengths, target_ids.shape[1])
    return torch.stack(columns, dim=1).where(mask, 0.0)
