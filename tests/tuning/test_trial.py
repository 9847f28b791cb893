"""What a trial's run says of itself."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.__main__ import make_parser
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.sweeps import SweepRuns
from s2s_lit.tuning.trial import Work, train_tracked


def test_its_command_is_that_of_the_same_training(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not `s2s trial FILE`, which reads a file that is gone when the sweep has ended."""
    from s2s_lit.tracking.provenance import provenance_tags

    def train(config: Any, work: Work, tracker: MlflowTracker, *rest: Any) -> dict[str, float]:
        tracker.set_tags(provenance_tags(words=tracker.words))
        return {}

    monkeypatch.setattr("s2s_lit.tuning.trial.train_experiment", train)
    run_id = SweepRuns(dataset="builtin", experiment="lstm", study="s").create("trial", "trial 0")
    changes = ["--model.dropout=0.1", "--optimizer.betas=[0.9, 0.98]", "--seed=2"]
    work = Work(0, 2, 0, "lstm", "multi30k", changes, [], run_id, "", {}, reports=False)
    train_tracked(None, work, lambda place, value: False)  # type: ignore[arg-type]
    words = shlex.split(store.get_run(run_id).data.tags["s2s.command"])
    arguments, overrides = make_parser().parse_known_args(words[words.index("s2s_lit") + 1 :])
    assert (arguments.verb, arguments.experiment, arguments.dataset) == ("train", "lstm", "multi30k")
    assert overrides == changes
