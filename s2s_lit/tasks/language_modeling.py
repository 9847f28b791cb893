"""Language modeling."""

from __future__ import annotations

import torch

from s2s_lit.data.fields.fields import Fields
from s2s_lit.decoding.sampling import sampling_without_input
from s2s_lit.decoding.search import Search
from s2s_lit.losses.base import Loss
from s2s_lit.losses.penalty import Penalty
from s2s_lit.metrics.likelihood import TextLikelihood
from s2s_lit.metrics.text import TextMetric
from s2s_lit.models.base import Model
from s2s_lit.optim.averaging import AveragingFactory
from s2s_lit.optim.schedules import ConstantSchedule, ScheduleFactory
from s2s_lit.tasks.base import Task
from s2s_lit.tasks.optimization import OptimizerFactory
from s2s_lit.types import Batch, Hypothesis, Inputs, Prediction

SAMPLES = 8  # texts that a run shows


class LanguageModelingTask(Task):
    """Gives texts a probability; scored by perplexity, by token and by word, and used to generate.

    Args:
        model: What is trained; it reads no input.
        fields: The target of the examples, with its tokenizer.
        loss: What is minimized.
        optimizer: One of torch.optim by its name (SGD, Adam, AdamW, Adafactor, RAdam, ...) and its settings.
        search: How texts are generated from a trained run.
        schedule: The learning rate's factor over the steps.
        averaging: The mean of the weights that is validated, kept and tested; null: the weights as they are.
        penalties: What is added to the loss.
    """

    name = "language_modeling"
    headline = "perplexity"
    likelihood_class = TextLikelihood

    def __init__(
        self,
        model: Model,
        fields: Fields,
        *,
        loss: Loss,
        optimizer: OptimizerFactory,
        search: Search | None = None,
        schedule: ScheduleFactory = ConstantSchedule,
        averaging: AveragingFactory | None = None,
        penalties: list[Penalty] | None = None,
    ) -> None:
        super().__init__(
            model, fields, loss=loss, optimizer=optimizer, schedule=schedule, averaging=averaging, penalties=penalties
        )
        self.search = search or sampling_without_input()

    @classmethod
    def usual_metrics(cls) -> list[TextMetric]:
        return []

    @classmethod
    def advice(cls, run: str) -> list[str]:
        return [f"make generate RUN={run}"]

    def evaluate(self, batch: Batch, *, final: bool) -> list[Prediction]:
        assert isinstance(self.likelihood, TextLikelihood)
        self.likelihood.count_words(references[0] for references in batch.references)
        names = self.fields.target.names
        rows = zip(batch.target.ids.tolist(), self._costs(batch), batch.references, batch.rows, strict=True)
        return [
            Prediction(
                inputs={},
                references=references,
                hypothesis="",
                input_tokens=[],
                target_tokens=names(ids[:tokens]),
                score=-nll / tokens,
                row=row,
                nll=nll,
                reference_tokens=tokens,
            )
            for ids, (nll, tokens), references, row in rows
        ]

    @torch.inference_mode()
    def samples(self) -> list[str]:
        """Texts that are generated from nothing."""
        found = self.search(self.model, Inputs(SAMPLES))
        return [self.text_of(hypotheses[0], "") for hypotheses in found if hypotheses]

    def text_of(self, hypothesis: Hypothesis, source_text: str) -> str:
        """The detokenized text of an output."""
        return self.fields.target.tokenizer.decode(hypothesis.token_ids)
