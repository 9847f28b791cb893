"""What a run keeps of each validation, in the run that `trained` made."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.comparison.selection import read_predictions
from s2s_lit.metrics.buckets import by_length
from s2s_lit.metrics.translation import Bleu
from s2s_lit.tracking.client.connection import connect
from s2s_lit.tracking.client.runs import RunRecord


@pytest.fixture
def client(trained: RunRecord, in_project: Path) -> MlflowClient:
    return connect()


def steps(client: MlflowClient, run: RunRecord, key: str) -> list[int]:
    return [metric.step for metric in client.get_metric_history(run.run_id, key)]


def test_scores_by_length_are_those_of_the_kept_predictions(trained: RunRecord, client: MlflowClient) -> None:
    found = {k: v for k, v in trained.metrics.items() if k.startswith("test/bleu_by_length/")}
    predictions = read_predictions(trained.run_id, "test")
    groups = by_length([p.source for p in predictions])
    assert {key.rpartition("/")[2] for key in found} == {bucket.label for bucket in groups}
    assert len(groups) > 1
    for bucket in groups:
        metric = Bleu()
        members = [predictions[row] for row in bucket.rows]
        metric.update([p.hypothesis for p in members], [p.references for p in members])
        assert found[f"test/bleu_by_length/{bucket.label}"] == pytest.approx(float(metric.compute()))


def test_each_validation_has_its_scores_by_length_and_a_picture_of_one_sentence(
    trained: RunRecord, client: MlflowClient
) -> None:
    validations = steps(client, trained, "val/bleu")
    assert len(validations) == 2
    key = next(key for key in trained.metrics if key.startswith("val/bleu_by_length/"))
    assert steps(client, trained, key) == validations
    names = [file.path for file in client.list_artifacts(trained.run_id, "attention/validation-1")]
    assert names == [f"attention/validation-1/step-{step:06}.png" for step in validations]
    for name in names:
        assert Path(client.download_artifacts(trained.run_id, name)).read_bytes().startswith(b"\x89PNG")


def test_the_learning_curve_is_drawn(trained: RunRecord, client: MlflowClient) -> None:
    assert Path(client.download_artifacts(trained.run_id, "learning_curve.png")).stat().st_size > 5000


def test_all_scores_of_the_kept_checkpoint_stand_together(trained: RunRecord, client: MlflowClient) -> None:
    scores, losses = (client.get_metric_history(trained.run_id, name) for name in (trained.monitor, "val/loss"))
    *_, kept = max((score.value, -loss.value, score.step) for score, loss in zip(scores, losses, strict=True))
    for score in ("bleu", "loss", "chrf"):
        values = {m.step: m.value for m in client.get_metric_history(trained.run_id, f"val/{score}")}
        assert trained.metrics[f"best/{score}"] == values[kept]
