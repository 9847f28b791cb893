from __future__ import annotations

import time
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from s2s_lit.tracking.lifecycle import tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.records import system_metrics as system


def make_tracker() -> MlflowTracker:
    return MlflowTracker(dataset="builtin", experiment="lstm")


def test_a_run_says_what_it_takes_of_its_machine(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "INTERVAL_S", 0.1)
    with tracked_run(make_tracker()) as tracker:
        began = time.monotonic()
        while time.monotonic() - began < 2.5:
            sum(range(10_000))
    metrics = store.get_run(str(tracker.run_id)).data.metrics
    assert metrics["system/process_memory_megabytes"] > 50
    assert 0 < metrics["system/system_memory_usage_percentage"] < 100
    history = store.get_metric_history(str(tracker.run_id), "system/process_cpu_percentage")
    assert 3 <= len(history) <= 15  # one a second
    assert max(m.value for m in history) > 10
    assert {m.step for m in history} <= {0, 1, 2, 3}  # seconds


def test_a_sample_that_fails_hurts_nobody(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def failing(process: Any) -> dict[str, float]:
        calls.append(process)
        if len(calls) == 1:
            return {}
        raise OSError("no /proc here")

    monkeypatch.setattr(system, "INTERVAL_S", 0.02)
    monkeypatch.setattr(system, "read", failing)
    with tracked_run(make_tracker()) as tracker:
        deadline = time.monotonic() + 10
        while len(calls) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
    assert len(calls) >= 4
    assert store.get_run(str(tracker.run_id)).info.status == "FINISHED"
