"""Which parameters weight decay pulls towards zero."""

from __future__ import annotations

from typing import Any

from torch import nn


def decay_groups(module: nn.Module) -> list[dict[str, Any]]:
    """Two groups for any of torch's optimizers: what decays as the optimizer says, and what never does.

    Weights with two or more axes decay: matrices and embeddings. Biases and the scales of normalizations do not: they
    are few, and zero is no simpler a value for them. Frozen parameters are in neither. Torch keeps the names in each
    group's `param_names`.
    """
    learned = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
    return [
        {"params": [(name, parameter) for name, parameter in learned if parameter.dim() >= 2]},
        {"params": [(name, parameter) for name, parameter in learned if parameter.dim() < 2], "weight_decay": 0.0},
    ]
