"""The evaluating half of tasks that generate a text from inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import torch
from torch import nn

from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.fields.output_text import OutputText
from s2s_lit.decoding.search import Search
from s2s_lit.errors import UserError
from s2s_lit.losses.base import Loss
from s2s_lit.losses.penalty import Penalty
from s2s_lit.metrics.text import TextMetric
from s2s_lit.models.base import Model
from s2s_lit.optim.averaging import AveragingFactory
from s2s_lit.optim.schedules import ConstantSchedule, ScheduleFactory
from s2s_lit.tasks.base import Task
from s2s_lit.tasks.optimization import OptimizerFactory
from s2s_lit.types import EOS, Batch, Hypothesis, Prediction


class GenerationTask(Task):
    """Validates and tests by likelihood and by what a search finds.

    Args:
        model: What is trained.
        fields: The inputs and the target of the examples, with their tokenizers.
        loss: What is minimized.
        optimizer: One of torch.optim by its name (SGD, Adam, AdamW, Adafactor, RAdam, ...) and its settings.
            weight_decay holds for matrices and embeddings, not for biases and normalizations.
        search: Finds the outputs that are scored on test splits and that a trained run gives.
        validation_search: Finds the outputs that are scored at each validation.
        schedule: The learning rate's factor over the steps.
        averaging: The mean of the weights that is validated, kept and tested; null: the weights as they are.
        penalties: What is added to the loss.
        metrics: What compares the found outputs with the references; null: what is usual for the task.
        replace_unknown: Write the input word at which the attention looked most for each unknown word of an output.
    """

    def __init__(
        self,
        model: Model,
        fields: Fields,
        *,
        loss: Loss,
        optimizer: OptimizerFactory,
        search: Search,
        validation_search: Search,
        schedule: ScheduleFactory = ConstantSchedule,
        averaging: AveragingFactory | None = None,
        penalties: list[Penalty] | None = None,
        metrics: list[TextMetric] | None = None,
        replace_unknown: bool = False,
    ) -> None:
        super().__init__(
            model,
            fields,
            loss=loss,
            optimizer=optimizer,
            schedule=schedule,
            averaging=averaging,
            penalties=penalties,
        )
        self.search = search
        self.validation_search = validation_search
        self._require_attention(replace_unknown)
        self._text_of = OutputText(fields, replace_unknown=replace_unknown)
        self._text_metrics = nn.ModuleList(self.usual_metrics() if metrics is None else metrics)  # they move along

    def _require_attention(self, replace_unknown: bool) -> None:
        """Refuses, before the training and not after it, what can only be found with an attention."""
        searches = {"search": self.search, "validation_search": self.validation_search}
        asked = [f"{name}.coverage_penalty" for name, each in searches.items() if getattr(each, "coverage_penalty", 0)]
        asked += ["replace_unknown"] if replace_unknown else []
        if asked and not self.model.attends:
            raise UserError(f"task.{asked[0]} needs an attention: set model.decoder.attention, or leave it out")

    @property
    def text_metrics(self) -> list[TextMetric]:
        return cast(list[TextMetric], list(self._text_metrics))

    def evaluate(self, batch: Batch, *, final: bool) -> list[Prediction]:
        costs = list(self._costs(batch))
        found = self.predict(batch, self.search if final else self.validation_search)
        predictions = [
            replace(prediction, nll=nll, reference_tokens=tokens)
            for prediction, (nll, tokens) in zip(found, costs, strict=True)
        ]
        for metric in self.text_metrics:
            metric.update([p.hypothesis for p in predictions], [p.references for p in predictions])
        return predictions

    @torch.inference_mode()
    def predict(self, batch: Batch, search: Search) -> list[Prediction]:
        """The best hypothesis for each example, as text; with the attention's weights if it is the final search's."""
        keep_weights = search is self.search or self._text_of.needs_weights
        found = search(self.model, batch.inputs, keep_weights=keep_weights)
        return [self._prediction(batch, row, hypotheses[0]) for row, hypotheses in enumerate(found)]

    def text_of(self, hypothesis: Hypothesis, source_text: str) -> str:
        """The detokenized text of an output for the input `source_text`."""
        return self._text_of(hypothesis, source_text)

    def _prediction(self, batch: Batch, row: int, hypothesis: Hypothesis) -> Prediction:
        target = self.fields.target
        ids = [*hypothesis.token_ids, EOS] if hypothesis.finished else hypothesis.token_ids
        inputs = {name: text for name, text in batch.texts[row].items() if name in self.fields.inputs}
        return Prediction(
            inputs=inputs,
            references=batch.references[row],
            hypothesis=self.text_of(hypothesis, next(iter(inputs.values()), "")),
            input_tokens=self._input_tokens(batch, row),
            target_tokens=target.names(ids),
            score=hypothesis.score,
            weights=hypothesis.weights,
            row=batch.rows[row],
        )

    def _input_tokens(self, batch: Batch, row: int) -> list[str]:
        """What the attention looks at: the positions of the input that the model reads first."""
        names: list[str] = []
        for name in self.model.reads[:1]:
            read: Any = batch.inputs[name]
            names = self.fields[name].names(read.values[row, : read.lengths[row]].tolist())
        return names
