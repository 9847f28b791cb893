"""Slow: a training whose tracking server is cut off, delayed and killed loses no value and trains the same weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from mlflow.tracking import MlflowClient

from s2s_lit.config.compose import compose
from s2s_lit.tracking.delivery.outbox import Outbox
from s2s_lit.tracking.lifecycle import tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.training.run import run
from support.mlflow_server import MlflowServer, Proxy, mlflow_server, proxy
from support.tiny import TINY

STEPS = 60
SETTINGS = [
    *TINY,
    "--data.batcher.size=8",
    "--data.corpus.evaluation_rows=12",
    f"--trainer.limit_train_batches={STEPS // 2}",
    "--trainer.log_every_n_steps=1",
]
TIMED = ("train/tokens_per_second", "system/")


class Eventful(MlflowTracker):
    """Does something at steps of the training, in its thread."""

    events: Mapping[int, Callable[[], Any]] = {}

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        super().log_metrics(metrics, step)
        if "train/loss" in metrics:
            self.events.get(step or 0, lambda: None)()


def train(place: Path, uri: str, events: Mapping[int, Callable[[], Any]]) -> str:
    """The run's id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        patch.setitem(Outbox.__init__.__kwdefaults__, "interval_s", 0.1)  # type: ignore[index]
        tracker = Eventful(dataset="builtin", experiment="bilstm_attn", save_dir=place)
        tracker.events = events
        with tracked_run(tracker):
            run(compose("bilstm_attn", "builtin", SETTINGS), tracker)
    return str(tracker.run_id)


def values(client: MlflowClient, run_id: str) -> dict[str, list[tuple[int, float]]]:
    """Each metric's steps and values in order; of what hangs on the clock, the steps."""
    found = {}
    for key in client.get_run(run_id).data.metrics:
        history = client.get_metric_history(run_id, key)
        found[key] = [(m.step, 0.0 if key.startswith(TIMED) else m.value) for m in history]
    return {key: history for key, history in found.items() if not key.startswith("system/")}


def files(client: MlflowClient, run_id: str, place: Path) -> dict[str, bytes]:
    """The artifacts by their paths."""
    place.mkdir()
    root = Path(client.download_artifacts(run_id, "", str(place)))
    return {str(file.relative_to(root)): file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


def weights(place: Path, run_id: str) -> dict[str, Any]:
    checkpoint = torch.load(place / "bilstm_attn" / run_id / "best.ckpt", weights_only=True)
    return dict(checkpoint["state_dict"])


def faults(server: MlflowServer, line: Proxy) -> Mapping[int, Callable[[], Any]]:
    def cut() -> None:
        line.bad = 0.2

    def slow() -> None:
        line.bad, line.delay_s = 0.1, 0.3

    return {5: cut, 15: server.kill, 30: slow, 35: server.start, 50: cut}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_cuts_delays_and_restarts_lose_no_value_and_change_no_weight(tmp_path: Path) -> None:
    quiet_uri = f"sqlite:///{tmp_path}/quiet.db"
    quiet_id = train(tmp_path / "quiet", quiet_uri, {})
    quiet = MlflowClient(quiet_uri)

    store = f"sqlite:///{tmp_path}/server.db"
    with mlflow_server(store, tmp_path / "artifacts") as server, proxy(server.port) as line:
        run_id = train(tmp_path / "noisy", line.url, faults(server, line))
        assert line.cuts > 3
        line.bad = line.delay_s = 0.0
        server.wait()
        noisy = MlflowClient(server.url)
        assert noisy.get_run(run_id).info.status == "FINISHED"
        assert values(noisy, run_id) == values(quiet, quiet_id)
        assert [step for step, _ in values(noisy, run_id)["train/loss"]] == list(range(1, STEPS + 1))
        ours, theirs = files(noisy, run_id, tmp_path / "ours"), files(quiet, quiet_id, tmp_path / "theirs")
        assert sorted(ours) == sorted(theirs)
        assert len(ours) > 10
        for name in ("predictions/test.jsonl", "samples/validation.json", "vocabulary/target.txt"):
            assert ours[name] == theirs[name]
        assert noisy.get_run(run_id).data.params == quiet.get_run(quiet_id).data.params
    ours_weights, their_weights = weights(tmp_path / "noisy", run_id), weights(tmp_path / "quiet", quiet_id)
    assert all(torch.equal(value, their_weights[name]) for name, value in ours_weights.items())
    assert not list((tmp_path / "noisy").rglob("spool-*"))
