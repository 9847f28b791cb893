"""The training half of every task: objective, gradient, optimizer, schedule, averaging, checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from s2s_lit.data.fields.fields import Fields
from s2s_lit.errors import DivergenceError, UserError
from s2s_lit.lightning_adapter import trainer_of
from s2s_lit.losses.base import Loss
from s2s_lit.losses.penalty import Penalty
from s2s_lit.models.base import Model
from s2s_lit.optim.averaging import AveragingFactory
from s2s_lit.optim.parameter_groups import decay_groups
from s2s_lit.optim.schedules import ConstantSchedule, ScheduleFactory
from s2s_lit.processes import of_all, rank, world_size
from s2s_lit.tasks.averaged import AveragedWeights
from s2s_lit.tasks.step_sums import StepSums
from s2s_lit.types import Batch, DecoderState

OptimizerFactory = Callable[[Iterable[Any]], Optimizer]
"""Makes an optimizer from groups of parameters."""


class Optimization(pl.LightningModule):
    """Trains a model; what an evaluation does is left to the subclasses.

    Logged, of all processes together, at each optimizer step: `train/loss` and each penalty (per target token),
    `train/learning_rate`, `train/gradient_norm` (before clipping) and `train/tokens_per_second` (target tokens,
    validation not counted).

    Args:
        model: What is trained.
        fields: The inputs and the target of the examples, with their tokenizers.
        loss: What is minimized.
        optimizer: One of torch.optim by its name (SGD, Adam, AdamW, Adafactor, RAdam, ...) and its settings.
            weight_decay holds for matrices and embeddings, not for biases and normalizations.
        schedule: The learning rate's factor over the steps.
        averaging: The mean of the weights that is validated, kept and tested; null: the weights as they are.
        penalties: What is added to the loss.
    """

    def __init__(
        self,
        model: Model,
        fields: Fields,
        *,
        loss: Loss,
        optimizer: OptimizerFactory,
        schedule: ScheduleFactory = ConstantSchedule,
        averaging: AveragingFactory | None = None,
        penalties: list[Penalty] | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.fields = fields
        self.loss = loss
        self.penalties = nn.ModuleList(penalties or [])
        names = [penalty.name for penalty in penalties or []]
        if len(set(names)) < len(names):
            raise UserError(
                f"task.penalties ({', '.join(names)}) has a kind twice: list it once, with the whole weight"
            )
        self.make_optimizer = optimizer
        self.make_schedule = schedule
        self.make_averaging = averaging
        self.config_yaml = ""  # the composed configuration, carried in checkpoints
        self._seen = StepSums()
        self._carried: DecoderState | None = None  # from the last batch, if it goes on
        self._observed: dict[str, Any] | None = None  # by the schedule, before the checkpoint that training resumes
        self._averaged = AveragedWeights(model, prefix="model.")

    # One step

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """The objective summed over the batch's target tokens; the optimizer step divides by all that it saw.

        A window of time steps starts with the state that the one before it ended with, as a constant.
        """
        output = self.model(batch.inputs, batch.target, self._state_before(batch))
        if not batch.is_idle:  # which may stand between two windows
            self._carried = output.decoded.state.detach() if batch.goes_on else None
        result = self.loss(output, batch)
        terms = {str(penalty.name): penalty(output, batch) for penalty in self.penalties}
        self._seen.add(result.count, loss=result.nll, **terms)
        return result.objective + sum(terms.values())

    def _state_before(self, batch: Batch) -> DecoderState | None:
        if batch.continues is None:
            return None
        if self._carried is None:
            raise RuntimeError("the batch continues one that this task has not seen")
        return self._carried.to(self.device).select(batch.continues)

    def configure_gradient_clipping(
        self, optimizer: Optimizer, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """Runs once in each optimizer step: makes sums means, clips by norm, and logs what is known of a step.

        The gradient is that of the mean over all target tokens that all processes have seen since the last step, so
        that any number of batches and processes equals one large batch (Lightning has divided each of the accumulated
        batches by their number, and the mean over the processes was taken).

        Raises:
            DivergenceError: The norm of a step that is logged is not finite, and the weights would not be from now on;
                or the loss is not, as of a model that gives a reference no probability.
        """
        self._seen.add_processes()
        gradients = [p.grad for p in self.parameters() if p.grad is not None]
        torch._foreach_mul_(gradients, self.trainer.accumulate_grad_batches * world_size() / self._seen.count)
        norm = nn.utils.clip_grad_norm_(self.parameters(), gradient_clip_val or math.inf)
        means = self._seen.means()
        logged_each = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if logged_each and (self.global_step + 1) % logged_each == 0:  # a step at which a GPU is waited for anyway
            self._require_finite({"gradient's norm": norm, **means}, optimizer)
        self.log("train/gradient_norm", norm)
        self.log("train/learning_rate", optimizer.param_groups[0]["lr"])
        for name, mean in means.items():
            self.log(f"train/{name}", mean, prog_bar=name == "loss")
        self.log("train/tokens_per_second", self._seen.rate(), prog_bar=True)
        self.log("step", float(self.global_step + 1))  # the axis: optimizer steps that were taken
        self._seen = StepSums()

    def _require_finite(self, values: dict[str, Tensor], optimizer: Optimizer) -> None:
        wrong = [f"the {name} is {float(value)}" for name, value in values.items() if not value.isfinite()]
        if not wrong or self.trainer.precision == "16-mixed":  # whose scaler leaves such a step out
            return
        raise DivergenceError(
            f"the training diverges: {wrong[0]} at step {self.global_step + 1}, with a "
            f"learning rate of {optimizer.param_groups[0]['lr']:.3g}. Lower task.optimizer.lr or "
            f"trainer.gradient_clip_val, or warm up longer (task.schedule.warmup_steps)"
        )

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        self._averaged.after_step()

    # The whole training

    def on_train_start(self) -> None:
        self._seen = StepSums()

    def configure_optimizers(self) -> Any:
        try:
            optimizer = self.make_optimizer(decay_groups(self))
        except ValueError as error:  # a setting out of range
            raise UserError(f"task.optimizer: {error}") from error
        if self.trainer.precision == "16-mixed" and getattr(optimizer, "_step_supports_amp_scaling", False):
            raise UserError(
                "task.optimizer.fused: with trainer.precision=16-mixed a fused optimizer would see gradients that were "
                "clipped before they are unscaled: set it to false, or train with bf16-mixed"
            )
        total_steps = self.trainer.estimated_stepping_batches  # infinite or -1 where Lightning cannot know
        if not 0 < total_steps < math.inf:
            raise UserError("training has no known end (a stream, TokenBudget, max_epochs=-1): set trainer.max_steps")
        schedule = self._schedule = self.make_schedule(int(total_steps))
        if self._observed is not None:
            schedule.load_state_dict(self._observed)
            self._observed = None
        factors = LambdaLR(optimizer, lambda step: schedule.factor(step))  # a function: of an object it saves settings
        if self.make_averaging is not None:
            self._averaged.begin(self.make_averaging(int(total_steps)))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": factors, "interval": "step"}}

    # Averaged weights stand in the network while it is evaluated

    def on_validation_start(self) -> None:
        self._averaged.put_in(validation=self._validates_training())

    def on_validation_end(self) -> None:  # the callbacks have saved their checkpoints by now
        self._averaged.take_out()
        self._seen.restart_clock()

    def on_test_start(self) -> None:
        self._averaged.put_in(validation=False)

    def on_test_end(self) -> None:
        self._averaged.take_out()

    def _validates_training(self) -> bool:
        return self.trainer.state.fn == TrainerFn.FITTING and not self.trainer.sanity_checking

    def _validated(self, loss: float) -> None:
        """Tells the schedule what a validation along the training found."""
        if self._validates_training():
            self._schedule.observe(loss)

    # Checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Everything that is needed to use the model later: loads with `weights_only=True`."""
        checkpoint["s2s_lit"] = {"config": self.config_yaml, "fields": self.fields.state()}
        if "optimizer_states" in checkpoint:  # whoever goes on training needs it, each process its own
            checkpoint["s2s_lit"]["carried"] = of_all(None if self._carried is None else dict(self._carried.to("cpu")))
            checkpoint["s2s_lit"]["schedule"] = self._schedule.state_dict()
        self._averaged.save(checkpoint)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """A training that was stopped within a sentence goes on within it, and with its own weights."""
        carried = checkpoint["s2s_lit"].get("carried", [])
        own = carried[rank()] if len(carried) == world_size() else None
        self._carried = None if own is None else DecoderState(**own)
        self._observed = checkpoint["s2s_lit"].get("schedule")
        trainer = trainer_of(self)
        if trainer is not None and trainer.state.fn == TrainerFn.FITTING:
            self._averaged.resume(checkpoint)
        else:
            self._averaged.end()
