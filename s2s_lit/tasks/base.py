"""The contract of every task: what it trains a model for, and by which scores that is judged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor

from s2s_lit.data.fields.fields import Fields
from s2s_lit.metrics.likelihood import Likelihood
from s2s_lit.metrics.score import Score
from s2s_lit.metrics.text import TextMetric
from s2s_lit.models.base import Model
from s2s_lit.tasks.optimization import Optimization
from s2s_lit.types import Batch, Prediction


class Task(Optimization, ABC):
    """What a model is trained for.

    A task states, as class attributes, its name and the scores that matter, and says how a batch is evaluated. The
    validation step and the test step return `{"predictions": list[Prediction]}`. Logged for each evaluated split:
    `split/loss`, `perplexity`, `token_accuracy`, `sequence_accuracy` (teacher forced) and the task's own scores.
    """

    name: ClassVar[str]
    """What runs are tagged with."""
    headline: ClassVar[str]
    """The score that matters most, as it is named behind `split/`: checkpoints, champions and sweeps go by it."""
    closeup: ClassVar[str | None] = None
    """The text metric by which single examples, and groups of them, are compared; None: what they cost."""
    likelihood_class: ClassVar[type[Likelihood]] = Likelihood
    """What counts how likely the references are."""

    test_split = "test"
    """The split that `test` steps see."""

    def __init__(self, model: Model, fields: Fields, **settings: Any) -> None:
        super().__init__(model, fields, **settings)
        self.likelihood = self.likelihood_class()  # of the split that is being evaluated

    @classmethod
    @abstractmethod
    def usual_metrics(cls) -> list[TextMetric]:
        """The metrics of found outputs, where none are configured; the same are computed when runs are compared."""

    @classmethod
    @abstractmethod
    def advice(cls, run: str) -> list[str]:
        """Commands that use a run that has just ended, by the beginning of its id."""

    @abstractmethod
    def evaluate(self, batch: Batch, *, final: bool) -> list[Prediction]:
        """Counts a batch for all scores; what the model makes of each example.

        `final` is true for a split that is tested, false at a validation along the training.
        """

    def samples(self) -> list[str]:
        """Texts that a run shows at its end besides its predictions."""
        return []

    @property
    def text_metrics(self) -> list[TextMetric]:
        """The metrics of found outputs, whose sums are of the split that is being evaluated."""
        return []

    @property
    def scores(self) -> list[Score]:
        """What each evaluation logs, in the order in which it is printed."""
        return [*self.likelihood.scores, *(score for metric in self.text_metrics for score in metric.scores)]

    def validation_step(self, batch: Batch, batch_index: int) -> dict[str, list[Prediction]]:
        return {"predictions": [] if batch.is_idle else self.evaluate(batch, final=False)}

    def test_step(self, batch: Batch, batch_index: int) -> dict[str, list[Prediction]]:
        return {"predictions": [] if batch.is_idle else self.evaluate(batch, final=True)}

    def on_validation_epoch_end(self) -> None:
        self._validated(float(self._log_scores("val")["loss"]))

    def on_test_epoch_end(self) -> None:
        self._log_scores(self.test_split)

    def _costs(self, batch: Batch) -> Iterator[tuple[float, int]]:
        """What each example's target costs in nats, and its tokens; both are counted for the likelihood."""
        output = self.model(batch.inputs, batch.target)
        forced = self.loss(output, batch)
        mask = batch.target.mask
        self.likelihood.update(forced.nll, output.logits.argmax(dim=-1) == batch.target.ids[mask], mask)
        costs = forced.log_probs.double().new_zeros(mask.shape).masked_scatter(mask, -forced.log_probs.double())
        return zip(costs.sum(dim=1).tolist(), batch.target.lengths.tolist(), strict=True)

    def _log_scores(self, split: str) -> dict[str, Tensor]:
        scores = dict(self.likelihood.compute())
        scores |= {metric.name: metric.compute() for metric in self.text_metrics}
        self.log_dict({f"{split}/{name}": torch.as_tensor(value).float() for name, value in scores.items()})
        self.log("step", float(self.global_step))
        for metric in (self.likelihood, *self.text_metrics):
            metric.reset()
        return scores
