"""The LightningModule that trains any sequence-to-sequence model."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, ClassVar, cast

import lightning.pytorch as pl
import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from s2s_lit.decoding.search import Search
from s2s_lit.errors import DivergenceError, UserError
from s2s_lit.lightning_adapter import trainer_of
from s2s_lit.losses.penalty import Penalty
from s2s_lit.losses.token import TokenNLL
from s2s_lit.metrics.likelihood import Likelihood
from s2s_lit.metrics.score import Score
from s2s_lit.metrics.text import TextMetric
from s2s_lit.models.seq2seq import Seq2Seq
from s2s_lit.optim.averaging import AveragingFactory
from s2s_lit.optim.parameter_groups import decay_groups
from s2s_lit.optim.schedules import ConstantSchedule, ScheduleFactory
from s2s_lit.processes import of_all, rank, summed, world_size
from s2s_lit.tasks.averaged import AveragedWeights
from s2s_lit.text.tokenizer import TokenizerPair
from s2s_lit.text.unknown import UnknownReplacer
from s2s_lit.types import EOS, Batch, DecoderState, Hypothesis, Prediction


class _Sums:
    """What was seen since the last optimizer step.

    Attributes:
        count: target tokens.
    """

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self.count: int | Tensor = 0
        self._timed: int | Tensor = 0
        self._since = time.perf_counter()

    def add(self, count: int, **sums: Tensor) -> None:
        """`count` target tokens, over which these terms of the objective were summed."""
        for name, value in sums.items():
            self._sums[name] = self._sums.get(name, 0.0) + value.detach()
        self.count += count
        self._timed += count

    def restart_clock(self) -> None:
        """Validation is no training time."""
        self._timed, self._since = 0, time.perf_counter()

    def add_processes(self) -> None:
        """Adds what the other processes have seen, in one sum of a few numbers."""
        if world_size() == 1:
            return
        device = next(iter(self._sums.values())).device
        counts = torch.tensor([self.count, self._timed], dtype=torch.float64, device=device)
        total = summed(torch.stack([*counts, *(value.double() for value in self._sums.values())]))
        self.count, self._timed, *sums = total.unbind()
        self._sums = dict(zip(self._sums, sums, strict=True))

    def means(self) -> dict[str, Tensor]:
        """Each term per target token."""
        return {name: value / self.count for name, value in self._sums.items()}

    def rate(self) -> float | Tensor:
        """Target tokens per second."""
        return self._timed / (time.perf_counter() - self._since)


OptimizerFactory = Callable[[Iterable[Any]], Optimizer]
"""Makes an optimizer from groups of parameters."""


class Task(pl.LightningModule, ABC):
    """Trains a model on pairs; validates and tests by likelihood and by what a search finds.

    Logged, of all processes together: `train/loss` and each penalty (per target token), `train/learning_rate`,
    `train/gradient_norm` (before clipping) and `train/tokens_per_second` (target tokens, validation not counted) at
    each optimizer step; for each evaluated split `split/loss`, `perplexity`, `token_accuracy`, `sequence_accuracy`
    (teacher forced) and the text metrics of what the search finds. The test step and the validation step return
    `{"predictions": list[Prediction]}`.

    Args:
        model: what is trained (given by the program).
        tokenizers: turn tokens into text (given by the program).
        loss: what is minimized.
        penalties: what is added to it.
        optimizer: one of torch.optim by its name (SGD, Adam, AdamW, Adafactor, RAdam, ...) and its settings.
            weight_decay holds for matrices and embeddings, not for biases and normalizations.
        schedule: the learning rate's factor over the steps.
        averaging: the mean of the weights that is validated, kept and tested; null is the weights as they are.
        search: finds the outputs that are scored on test splits and printed by translate.
        validation_search: finds the outputs that are scored at each validation.
        metrics: what compares the found outputs with the references; null is what is usual for the task.
        replace_unknown: write the source word at which the attention looked most for each unknown word of an output.
    """

    def __init__(
        self,
        model: Seq2Seq,
        tokenizers: TokenizerPair,
        *,
        loss: TokenNLL,
        optimizer: OptimizerFactory,
        search: Search,
        validation_search: Search,
        schedule: ScheduleFactory = ConstantSchedule,
        averaging: AveragingFactory | None = None,
        penalties: list[Penalty] | None = None,
        metrics: list[TextMetric] | None = None,
        replace_unknown: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.tokenizers = tokenizers
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
        self.search = search
        self.validation_search = validation_search
        self._unknown = UnknownReplacer(tokenizers) if replace_unknown else None
        self.likelihood = Likelihood()
        compared = self.usual_metrics() if metrics is None else metrics
        self._text_metrics = nn.ModuleList(compared)  # so that they move with the module
        self.config_yaml = ""  # the composed configuration, carried in checkpoints
        self.test_split = "test"  # the split that `test` steps see
        self._seen = _Sums()
        self._carried: DecoderState | None = None  # from the last batch, if it goes on
        self._observed: dict[str, Any] | None = None  # by the schedule, before the checkpoint that training resumes
        self._averaged = AveragedWeights(model, prefix="model.")

    name: ClassVar[str]
    """What runs are tagged with."""
    headline: ClassVar[str]
    """The score that matters most, as it is named behind `split/`: checkpoints, champions and sweeps go by it."""
    closeup: ClassVar[str]
    """The text metric by which single examples, and groups of them, are compared."""

    @classmethod
    @abstractmethod
    def usual_metrics(cls) -> list[TextMetric]:
        """The metrics of found outputs, where none are configured; the same are computed when runs are compared."""

    @classmethod
    @abstractmethod
    def advice(cls, run: str) -> list[str]:
        """Commands that use a run that has just ended, by the beginning of its id."""

    @property
    def text_metrics(self) -> list[TextMetric]:
        """The metrics of found outputs, whose sums are of the split that is being evaluated."""
        return cast(list[TextMetric], list(self._text_metrics))

    @property
    def scores(self) -> list[Score]:
        """What each evaluation logs, in the order in which it is printed."""
        return [*self.likelihood.scores, *(score for metric in self.text_metrics for score in metric.scores)]

    # Training

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """The objective summed over the batch's target tokens; the optimizer step divides by all that it saw.

        A window of time steps starts with the state that the one before it ended with, as a constant.
        """
        output = self.model(batch, self._state_before(batch))
        if not batch.is_idle:  # which may stand between two windows
            self._carried = output.decoded.state.detach() if batch.goes_on else None
        result = self.loss(output.logits, batch.target_ids[batch.target_mask])
        terms = {str(penalty.name): penalty(output.decoded, batch.target_mask) for penalty in self.penalties}
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
        self._seen = _Sums()

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

    def on_train_start(self) -> None:
        self._seen = _Sums()

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

    # Evaluation

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

    def validation_step(self, batch: Batch, batch_index: int) -> dict[str, list[Prediction]]:
        return self._evaluate(batch, self.validation_search)

    def test_step(self, batch: Batch, batch_index: int) -> dict[str, list[Prediction]]:
        return self._evaluate(batch, self.search)

    def on_validation_epoch_end(self) -> None:
        scores = self._log_scores("val")
        if self._validates_training():
            self._schedule.observe(float(scores["loss"]))

    def on_test_epoch_end(self) -> None:
        self._log_scores(self.test_split)

    def _evaluate(self, batch: Batch, search: Search) -> dict[str, list[Prediction]]:
        if batch.is_idle:
            return {"predictions": []}
        logits, targets = self.model(batch).logits, batch.target_ids[batch.target_mask]
        forced = self.loss(logits, targets)
        self.likelihood.update(forced.nll, logits.argmax(dim=-1) == targets, batch.target_mask)
        costs = _sentence_costs(forced.log_probs, batch)
        predictions = [
            replace(prediction, nll=nll, reference_tokens=tokens)
            for prediction, (nll, tokens) in zip(self.predict(batch, search), costs, strict=True)
        ]
        for metric in self.text_metrics:
            metric.update([p.hypothesis for p in predictions], [p.reference for p in predictions])
        return {"predictions": predictions}

    def _log_scores(self, split: str) -> dict[str, Tensor]:
        scores = dict(self.likelihood.compute())
        scores |= {metric.name: metric.compute() for metric in self.text_metrics}
        self.log_dict({f"{split}/{name}": value.float() for name, value in scores.items()})
        self.log("step", float(self.global_step))
        for metric in (self.likelihood, *self.text_metrics):
            metric.reset()
        return scores

    @torch.inference_mode()
    def predict(self, batch: Batch, search: Search) -> list[Prediction]:
        """The best hypothesis for each sentence, as text; with the attention's weights if it is the final search's."""
        keep_weights = search is self.search or self.replaces_unknown
        found = search(self.model, batch.source_ids, batch.source_lengths, keep_weights=keep_weights)
        lengths = batch.source_lengths.tolist()
        sources = [ids[:length] for ids, length in zip(batch.source_ids.tolist(), lengths, strict=True)]
        return [self._prediction(batch, row, sources[row], best[0]) for row, best in enumerate(found)]

    @property
    def replaces_unknown(self) -> bool:
        """Whether `text_of` needs the attention's weights."""
        return self._unknown is not None

    def text_of(self, hypothesis: Hypothesis, source_text: str) -> str:
        """The detokenized text of an output for `source_text`."""
        if self._unknown is None:
            return self.tokenizers.target.decode(hypothesis.token_ids)
        return self._unknown.decode(hypothesis.token_ids, hypothesis.weights, source_text)

    def _prediction(self, batch: Batch, row: int, source_ids: list[int], hypothesis: Hypothesis) -> Prediction:
        source, target = self.tokenizers.source, self.tokenizers.target
        tokens = [target.tokens[i] for i in hypothesis.token_ids]
        return Prediction(
            source=batch.source_texts[row],
            reference=batch.target_texts[row],
            hypothesis=self.text_of(hypothesis, batch.source_texts[row]),
            source_tokens=[source.tokens[i] for i in source_ids],
            target_tokens=[*tokens, target.tokens[EOS]] if hypothesis.finished else tokens,
            score=hypothesis.score,
            weights=hypothesis.weights,
            row=batch.rows[row],
        )

    # Checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Everything that is needed to use the model later: loads with `weights_only=True`."""
        checkpoint["s2s_lit"] = {"config": self.config_yaml, "tokenizers": self.tokenizers.state()}
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


def _sentence_costs(log_probs: Tensor, batch: Batch) -> Iterator[tuple[float, int]]:
    """What each sentence's target costs in nats, and its tokens: [M] -> B pairs."""
    mask = batch.target_mask
    costs = log_probs.double().new_zeros(mask.shape).masked_scatter(mask, -log_probs.double())
    return zip(costs.sum(dim=1).tolist(), batch.target_lengths.tolist(), strict=True)
