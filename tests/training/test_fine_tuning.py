"""Trainings that start from a finished run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml

from s2s_lit.__main__ import main
from s2s_lit.config.compose import compose, to_yaml
from s2s_lit.config.stored import read
from s2s_lit.errors import UserError
from s2s_lit.tracking.client.runs import RunRecord, download_checkpoint, list_runs
from s2s_lit.training.fine_tuning import as_begun, take_weights
from s2s_lit.training.resumable_runs import stopped_run
from support.tiny import TINY

STILL = ["--task.optimizer.lr=0", "--task.optimizer.weight_decay=0", "--trainer.max_steps=1"]
OTHER_DATA = ["--data.corpus.train_rows=50", "--data.tokenizer.vocab_size=90"]


def test_weights_and_vocabulary_are_those_of_the_run(trained: RunRecord, in_project: Path) -> None:
    assert main(["train", "bilstm_attn", *TINY, *OTHER_DATA, *STILL, "--start_from", trained.run_id[:8]]) == 0
    run = list_runs()[0]
    before, after = read(download_checkpoint(trained)), read(download_checkpoint(run))
    now, then = (checkpoint["s2s_lit"]["fields"] for checkpoint in (after, before))
    assert now["fields"] == then["fields"] == {"source": 0, "target": 0}
    assert torch.equal(now["tokenizers"][0]["state"]["model"], then["tokenizers"][0]["state"]["model"])
    assert after["state_dict"].keys() == before["state_dict"].keys()
    for name, value in before["state_dict"].items():
        assert torch.equal(after["state_dict"][name], value), name
    config = yaml.safe_load(after["s2s_lit"]["config"])
    assert config["start_from"] == run.params["start_from"] == trained.run_id
    assert config["data"]["tokenizer"] == yaml.safe_load(before["s2s_lit"]["config"])["data"]["tokenizer"]
    assert run.tags["s2s.command"].endswith(f"--start_from={trained.run_id}")  # what was given may be another run later


def test_a_network_of_another_shape_is_refused(
    trained: RunRecord, in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for change, says in (
        ("--model.encoder.recurrence.hidden_size=9", "is [36, 16] here and [32, 16] there"),
        ("--model.encoder.bidirectional=false", "decoder.bridge.layer.weight is [16, 8] here and [16, 16] there"),
    ):
        assert main(["train", "bilstm_attn", *TINY, change, "--start_from", trained.run_id]) == 2
        assert says in capsys.readouterr().err


def test_a_parameter_that_only_one_has_is_named() -> None:
    task: Any = SimpleNamespace(model=torch.nn.Linear(2, 3))
    given = {f"model.{name}": value for name, value in task.model.state_dict().items()}
    with pytest.raises(UserError, match=r"bias is \[3\] here and missing there"):
        take_weights(task, {"model.weight": given["model.weight"]})
    with pytest.raises(UserError, match=r"gate is missing here and \[\] there"):
        take_weights(task, {**given, "model.gate": torch.tensor(1.0)})
    take_weights(task, {**given, "loss.of_another_kind": torch.tensor(1.0)})


def test_a_run_that_is_not_there_is_told_before_a_run_begins(
    trained: RunRecord, in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(list_runs())
    assert main(["train", "bilstm_attn", *TINY, "--start_from", "nosuchrun"]) == 2
    assert "nosuchrun" in capsys.readouterr().err
    assert len(list_runs()) == before


def test_who_wants_to_resume_a_finished_run_is_told_of_it(trained: RunRecord, in_project: Path) -> None:
    with pytest.raises(
        UserError, match=f'make train EXP=bilstm_attn DATA=builtin ARGS="--start_from {trained.run_id[:8]}'
    ):
        stopped_run(trained.run_id)


def test_a_requeued_training_is_known_though_another_run_is_the_latest_by_now(in_project: Path) -> None:
    again = compose("lstm", "builtin", ["--start_from=latest"])
    begun = compose("lstm", "builtin", [f"--start_from={'a' * 32}", "--data.tokenizer.vocab_size=90"])
    assert to_yaml(as_begun(again, begun)) == to_yaml(begun)
    other = compose("lstm", "builtin", ["--start_from=latest", "--seed=2"])
    assert to_yaml(as_begun(other, begun)) != to_yaml(begun)
    fresh = compose("lstm", "builtin", [])
    assert as_begun(fresh, begun) is fresh
