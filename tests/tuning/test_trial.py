"""What a trial's run says of itself."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.cli.arguments import make_parser
from s2s_lit.errors import DivergenceError
from s2s_lit.tracking.client.runs import CHECKPOINT
from s2s_lit.tracking.client.sweep_runs import PRUNED, SweepRuns
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tuning.execution.trial import train_tracked
from s2s_lit.tuning.execution.work import Work


def test_its_command_is_that_of_the_same_training(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not `s2s trial FILE`, which reads a file that is gone when the sweep has ended."""
    from s2s_lit.tracking.records.provenance import provenance_tags

    def train(config: Any, work: Work, tracker: MlflowTracker, *rest: Any) -> dict[str, float]:
        tracker.set_tags(provenance_tags(words=tracker.words))
        return {}

    monkeypatch.setattr("s2s_lit.tuning.execution.trial.train_experiment", train)
    run_id = SweepRuns(dataset="builtin", experiment="lstm", study="s").create("trial", "trial 0")
    changes = ["--model.dropout=0.1", "--optimizer.betas=[0.9, 0.98]", "--seed=2"]
    work = Work(0, 2, "lstm", "multi30k", changes, [], run_id, ("127.0.0.1", 1), "", {}, reports=False)
    train_tracked(None, work, lambda place, value: False)  # type: ignore[arg-type]
    words = shlex.split(store.get_run(run_id).data.tags["s2s.command"])
    arguments, overrides = make_parser().parse_known_args(words[words.index("s2s_lit") + 1 :])
    assert (arguments.verb, arguments.experiment, arguments.dataset) == ("train", "lstm", "multi30k")
    assert overrides == changes


def test_one_that_diverges_is_pruned_and_keeps_its_best_checkpoint(
    store: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a sampler learns where not to look, and a few of them in a row do not end the sweep."""

    def train(config: Any, work: Work, tracker: MlflowTracker, *rest: Any) -> dict[str, float]:
        best = tracker.run_dir / "best.ckpt"
        best.write_bytes(b"weights")
        tracker.log_artifact(best, CHECKPOINT)  # as whoever records the run does then
        raise DivergenceError("the training diverges")

    monkeypatch.setattr("s2s_lit.tuning.execution.trial.train_experiment", train)
    run_id = SweepRuns(dataset="builtin", experiment="lstm", study="s").create("trial", "trial 0")
    work = Work(0, 1, "lstm", "builtin", [], [], run_id, ("127.0.0.1", 1), "", {}, reports=True)
    assert train_tracked(None, work, lambda place, value: False) is None  # type: ignore[arg-type]
    run = store.get_run(run_id)
    assert (run.info.status, run.data.tags[PRUNED]) == ("FINISHED", "true")
    assert Path(store.download_artifacts(run_id, CHECKPOINT)).read_bytes() == b"weights"
