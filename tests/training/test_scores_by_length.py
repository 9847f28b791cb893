"""Scores by sentence length, from what the metric has counted already."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from s2s_lit.metrics.translation import Bleu
from s2s_lit.training.callbacks.scores_by_length import ScoresByLength
from s2s_lit.types import Prediction

SOURCES = ["a b c", "w " * 30, "d e", "w " * 29]
PAIRS = [("der Hund schläft gut", "der Hund schläft"), ("x y z", "x y"), ("ein Mann", "ein Mann"), ("q", "q r s t")]


def prediction(source: str, hypothesis: str, reference: str) -> Prediction:
    return Prediction(
        inputs={"source": source}, references=(reference,), hypothesis=hypothesis, input_tokens=[], target_tokens=[],
        score=0.0, weights=None, row=0,
    )  # fmt: skip


def test_a_pair_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    metric, logged, compared = Bleu(), {}, []
    statistics = metric.statistics
    monkeypatch.setattr(metric, "statistics", lambda *pair: compared.append(pair) or statistics(*pair))
    tracker: Any = SimpleNamespace(log_metrics=lambda values, step: logged.update(values))
    task: Any = SimpleNamespace(text_metrics=[metric], device=torch.device("cpu"))
    strategy = SimpleNamespace(reduce=lambda sums, reduce_op: sums)
    trainer: Any = SimpleNamespace(strategy=strategy, global_step=1, sanity_checking=False)
    callback = ScoresByLength(tracker)
    callback.on_validation_epoch_start(trainer, task)
    found = [prediction(source, *pair) for source, pair in zip(SOURCES, PAIRS, strict=True)]
    for batch in (found[:2], [], found[2:]):  # of both lengths each
        if batch:
            metric.update([p.hypothesis for p in batch], [p.references for p in batch])
        callback.on_validation_batch_end(trainer, task, {"predictions": batch}, None, 0)
    callback.on_validation_epoch_end(trainer, task)
    assert compared == [(hypothesis, (reference,)) for hypothesis, reference in PAIRS]
    expected = []
    for group in (PAIRS[::2], PAIRS[1::2]):
        alone = Bleu()
        alone.update([hypothesis for hypothesis, _ in group], [(reference,) for _, reference in group])
        expected.append(float(alone.compute()))
    assert list(logged.values()) == expected
