"""Averaged weights in their places: in the network while it is evaluated, and in its checkpoints."""

from __future__ import annotations

from typing import Any

import torch
from lightning.fabric.utilities import move_data_to_device
from torch import nn

from s2s_lit.optim.averaging import WeightAveraging, Weights


class AveragedWeights:
    """Changes a network's weights for their mean and back; does nothing until an averaging begins.

    A checkpoint's `state_dict` has the mean, so that whoever uses it uses that; one from which training can be resumed
    has the weights that are trained, too.

    Args:
        model: the network.
        prefix: what precedes its weights' names in the checkpoint's `state_dict`.
    """

    def __init__(self, model: nn.Module, *, prefix: str) -> None:
        self._model = model
        self._prefix = prefix
        self._averaging: WeightAveraging | None = None
        self._trained: Weights = {}  # aside, while the mean is in the network
        self._resumed: dict[str, Any] | None = None  # the averaging's state in the checkpoint that training resumes

    def begin(self, averaging: WeightAveraging) -> None:
        """A training begins, or goes on where the checkpoint that was given to `resume` left it."""
        self._averaging = averaging
        if self._resumed is not None:
            device = next(self._model.parameters()).device
            averaging.load_state_dict(move_data_to_device(self._resumed, device))
            self._resumed = None

    def end(self) -> None:
        """The network's weights are what a checkpoint had, not those that the averaging has followed."""
        self._averaging = None

    @torch.no_grad()
    def after_step(self) -> None:
        """An optimizer step was taken."""
        if self._averaging is not None:
            self._averaging.after_step(self._weights())

    @torch.inference_mode(False)  # what is kept is used outside of the evaluation's inference mode
    @torch.no_grad()
    def put_in(self, *, validation: bool) -> None:
        """An evaluation begins, be it a validation along the training or not."""
        if self._averaging is None:
            return
        weights = self._weights()
        if validation:
            self._averaging.before_validation(weights)
        mean = self._averaging.mean()
        if mean:
            self._trained = {name: weight.clone() for name, weight in weights.items()}
            self._fill(mean)

    @torch.inference_mode(False)
    @torch.no_grad()
    def take_out(self) -> None:
        """The evaluation has ended."""
        if self._trained:
            self._fill(self._trained)
            self._trained = {}

    def save(self, checkpoint: dict[str, Any]) -> None:
        """Write the mean as the network's weights and, where training can be resumed, what that takes beside it."""
        if self._averaging is None:
            return
        trained = self._trained or self._weights()
        checkpoint["state_dict"] |= self._prefixed(self._averaging.mean())
        if "optimizer_states" in checkpoint:
            checkpoint["averaging"] = {"trained": self._prefixed(trained), "state": self._averaging.state_dict()}

    def resume(self, checkpoint: dict[str, Any]) -> None:
        """Have the checkpoint's trained weights loaded instead of the mean."""
        if "averaging" in checkpoint:
            checkpoint["state_dict"] |= checkpoint["averaging"]["trained"]
            self._resumed = checkpoint["averaging"]["state"]

    def _weights(self) -> Weights:
        return {name: value for name, value in self._model.state_dict().items() if value.is_floating_point()}

    def _fill(self, values: Weights) -> None:
        for name, weight in self._weights().items():
            weight.copy_(values[name])

    def _prefixed(self, weights: Weights) -> Weights:
        return {self._prefix + name: weight for name, weight in weights.items()}
