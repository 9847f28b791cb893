from __future__ import annotations

import json
import logging
import math
import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lightning.pytorch.utilities import rank_zero_only
from mlflow.tracking import MlflowClient

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.limits import flatten
from s2s_lit.tracking.client.runs import find_run
from s2s_lit.tracking.logger import MlflowTracker


@pytest.fixture
def tracker(store: MlflowClient) -> MlflowTracker:
    tracker = MlflowTracker(dataset="builtin", experiment="lstm", tags={"s2s.seed": "3"})
    tracker.start()
    return tracker


def history(store: MlflowClient, tracker: MlflowTracker, key: str) -> list[tuple[int, float]]:
    return [(m.step, m.value) for m in store.get_metric_history(str(tracker.run_id), key)]


def test_bulk_values_arrive_once_each_at_their_optimizer_step(store: MlflowClient, tracker: MlflowTracker) -> None:
    for step in range(2500):
        tracker.log_metrics({"train/loss": torch.tensor(step / 4), "train/lr": 0.1, "epoch": step // 1000}, step=step)
    tracker.end("FINISHED")
    assert history(store, tracker, "train/loss") == [(step, step / 4) for step in range(2500)]
    assert history(store, tracker, "train/lr") == [(step, 0.1) for step in range(2500)]
    assert history(store, tracker, "epoch") == [(0, 0.0), (1000, 1.0), (2000, 2.0)]


def test_not_a_number_breaks_nothing(store: MlflowClient, tracker: MlflowTracker) -> None:
    tracker.log_metrics({"a": math.nan, "b": math.inf, "c": -math.inf, "d": "text", "train/loss (é)": 1.0}, step=1)
    tracker.log_metrics({"a": 2.0}, step=2)
    tracker.end("FINISHED")
    (_, first), second = history(store, tracker, "a")
    assert math.isnan(first)
    assert second == (2, 2.0)
    assert history(store, tracker, "b")[0][1] > 1e308
    assert history(store, tracker, "c")[0][1] < -1e308
    assert history(store, tracker, "train/loss _é_") == [(1, 1.0)]


def test_parameters_are_dotted_long_and_many(store: MlflowClient, tracker: MlflowTracker) -> None:
    many = {f"key{i}": i for i in range(250)}
    tracker.log_params({"model": {"layers": [1, 2], "note": "x" * 6000, "long": "y" * 12000 + "z"}, "many": many})
    tracker.log_params({"callbacks": [{"class_path": "A"}, {"class_path": "B"}], "none": None})
    tracker.end("FINISHED")
    params = store.get_run(str(tracker.run_id)).data.params
    assert params["model.layers"] == "[1, 2]"
    assert params["model.note"] == "x" * 6000
    assert params["model.long"] == params["model.long:2"] == "y" * 6000
    assert params["model.long:3"] == "z"
    assert params["callbacks.1"] == "B"
    assert params["none"] == "None"
    assert sum(key.startswith("many.") for key in params) == 250


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no defect
@given(st.recursive(st.integers(), lambda inner: st.dictionaries(st.text("ab", min_size=1), inner), max_leaves=20))
def test_flatten_keeps_every_leaf(tree: Any) -> None:
    def leaves(node: Any) -> int:
        return sum(map(leaves, node.values())) if isinstance(node, dict) else 1

    flat = list(flatten({"root": tree}))
    assert len(flat) == leaves(tree)
    assert len(dict(flat)) == len(flat)


def test_settings_have_the_names_that_a_user_types() -> None:
    tree = {
        "model": {"class_path": "a.Model", "init_args": {"encoder": {"class_path": "a.GRU", "init_args": {"p": 1}}}}
    }
    assert dict(flatten(tree)) == {"model": "a.Model", "model.encoder": "a.GRU", "model.encoder.p": "1"}


def test_a_run_of_an_early_version_has_these_names_too(store: MlflowClient, tracker: MlflowTracker) -> None:
    for key, value in {"model.class_path": "a.Model", "model.init_args.p": 1}.items():
        store.log_param(str(tracker.run_id), key, value)
    assert find_run(str(tracker.run_id)).params == {"model": "a.Model", "model.p": "1"}


def test_attaching_continues_the_run_and_notes_what_drifted(store: MlflowClient, tracker: MlflowTracker) -> None:
    tracker.log_params({"lr": 0.1, "seed": 1})
    tracker.log_metrics({"train/loss": 1.0}, step=1)
    tracker.log_table(["a"], [[1]], "samples/one.json")
    tracker.end("KILLED")
    again = MlflowTracker(dataset="builtin", experiment="lstm", run_id=tracker.run_id)
    again.start({"s2s.pid": "7"})
    assert store.get_run(str(tracker.run_id)).info.status == "RUNNING"
    again.log_params({"lr": 0.2, "seed": 1, "new": 5})
    again.log_metrics({"train/loss": 0.5}, step=2)
    again.log_table(["a"], [[2]], "samples/two.json")
    again.end("FINISHED")
    run = store.get_run(str(tracker.run_id))
    assert run.info.status == "FINISHED"
    assert (again.version, again.run_name) == (tracker.version, tracker.run_name)
    assert run.data.params == {"lr": "0.1", "seed": "1", "new": "5"}
    assert json.loads(run.data.tags["s2s.drift"]) == {"lr": ["0.1", "0.2"]}
    assert run.data.tags["s2s.pid"] == "7"
    assert [t["path"] for t in json.loads(run.data.tags["mlflow.loggedArtifacts"])] == [
        "samples/one.json",
        "samples/two.json",
    ]
    assert history(store, tracker, "train/loss") == [(1, 1.0), (2, 0.5)]


def test_files_texts_and_tables(store: MlflowClient, tracker: MlflowTracker, tmp_path: Path) -> None:
    (tmp_path / "step=3.ckpt").write_bytes(b"weights")
    tracker.log_artifact(tmp_path / "step=3.ckpt", "checkpoints/best.ckpt")
    tracker.log_text("größer", "config.yaml")
    tracker.log_table(["step", "source"], [[1, "old"]], "samples/val.json")
    tracker.log_table(["step", "source"], [[1, "ein Hund"], [2, "zwei Hunde"]], "samples/val.json")
    tracker.end("FINISHED")
    run_id = str(tracker.run_id)
    place = Path(store.download_artifacts(run_id, "", str(tmp_path)))
    assert (place / "checkpoints/best.ckpt").read_bytes() == b"weights"
    assert (place / "config.yaml").read_text() == "größer"
    table = store.load_table(store.get_run(run_id).info.experiment_id, "samples/val.json")
    assert table.to_dict("list") == {"step": [1, 2], "source": ["ein Hund", "zwei Hunde"]}


def test_tags_place_the_run(tracker: MlflowTracker) -> None:
    tracker.end("FINISHED")
    record = find_run("latest")
    assert (record.experiment, record.dataset, record.kind) == ("lstm", "builtin", "train")
    assert (record.name, record.tags["s2s.seed"]) == (tracker.run_name, "3")


def test_lightning_s_finalize_delivers_but_does_not_end_the_run(store: MlflowClient, tracker: MlflowTracker) -> None:
    tracker.log_metrics({"val/bleu": 3.0}, step=1)
    tracker.finalize("success")
    assert history(store, tracker, "val/bleu") == [(1, 3.0)]
    assert store.get_run(str(tracker.run_id)).info.status == "RUNNING"
    tracker.end("FINISHED")


def test_other_ranks_say_nothing_and_learn_the_run(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    other = MlflowTracker(dataset="builtin", experiment="lstm")
    other.start()
    other.log_metrics({"train/loss": 1.0}, step=1)
    other.log_params({"a": 1})
    other.finalize("success")
    other.end("FINISHED")
    assert other.run_id is None
    other.share_run_id(lambda _: "0123456789")
    assert other.version == "0123456789"
    assert len(store.search_experiments()) == 1  # only MLflow's own


def test_a_spawned_process_gets_a_tracker_of_the_same_run(store: MlflowClient, tracker: MlflowTracker) -> None:
    tracker.log_metrics({"train/loss": 1.0}, step=1)
    copy = pickle.loads(pickle.dumps(tracker))
    copy.log_metrics({"train/loss": 0.5}, step=2)
    copy.finalize("success")
    tracker.end("FINISHED")
    assert sorted(history(store, tracker, "train/loss")) == [(1, 1.0), (2, 0.5)]


def test_a_forked_process_sends_its_own_values_only(store: MlflowClient, tracker: MlflowTracker) -> None:
    def body() -> None:
        tracker.log_metrics({"train/loss": 0.5}, step=2)
        tracker.finalize("success")

    tracker.log_metrics({"train/loss": 1.0}, step=1)  # the parent's thread runs now, and is not forked along
    child = multiprocessing.get_context("fork").Process(target=body)
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert (2, 0.5) in history(store, tracker, "train/loss")
    tracker.end("FINISHED")
    assert sorted(history(store, tracker, "train/loss")) == [(1, 1.0), (2, 0.5)]


def test_an_address_that_does_not_answer_is_told_before_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UserError, match="does not answer"):
        MlflowTracker(dataset="builtin", experiment="lstm").start()


def test_a_store_that_dies_midway_only_warns(
    tracker: MlflowTracker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("gone")

    for name in ("log_batch", "log_artifact", "set_terminated"):
        monkeypatch.setattr(MlflowClient, name, fail)
    monkeypatch.setattr("s2s_lit.tracking.logger._PATIENCE_S", 0.5)
    with caplog.at_level(logging.WARNING):
        tracker.log_metrics({"train/loss": 1.0, "train/lr": 0.1}, step=1)
        tracker.log_text("a", "b.txt")
        tracker.end("FINISHED")
    assert "4 values or files" in caplog.messages[-1]  # the status, too
    assert "gone" in caplog.messages[-1]


def test_what_is_logged_while_the_run_is_deleted_waits_until_it_is_restored(
    store: MlflowClient, tracker: MlflowTracker
) -> None:
    tracker.start()
    run_id = str(tracker.run_id)
    store.delete_run(run_id)
    tracker.log_metrics({"train/loss": 2.0}, step=1)
    assert not tracker._box.flush(0.0)
    store.restore_run(run_id)
    assert tracker.end("FINISHED") == ""
    assert [metric.value for metric in store.get_metric_history(run_id, "train/loss")] == [2.0]


def test_logging_outside_of_a_run_is_a_mistake(store: MlflowClient, tracker: MlflowTracker) -> None:
    tracker.end("FINISHED")
    with pytest.raises(RuntimeError, match="tracked_run"):
        tracker.log_metrics({"a": 1.0}, step=1)
