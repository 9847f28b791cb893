"""A trial that trains nothing but does all else: attaches to its MLflow run, reports, logs, ends it. Takes no torch.

Its curve is a function of its point alone, so that a trial that was killed and started again must find the same.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from s2s_lit.tracking.client.connection import connect
from s2s_lit.tracking.client.sweep_runs import PRUNED, VALUES
from s2s_lit.tracking.process_identity import process_tags
from s2s_lit.tuning.execution.trial import Report, end_with, speak
from s2s_lit.tuning.execution.work import Work
from s2s_lit.tuning.search.objectives import WHOLE

REPORTS = 5


def curve(x: float, share: float) -> float:
    """The score of a point after a share of its training; best at x = 0.5."""
    return (1 - (x - 0.5) ** 2) * share


def train(work: Work, report: Report) -> dict[str, float] | None:
    x = float(next(word for word in work.overrides if word.startswith("--x=")).partition("=")[2])
    client = connect()
    client.update_run(work.run_id, status="RUNNING")
    for key, value in process_tags().items():
        client.set_tag(work.run_id, key, value)
    for number in range(1, REPORTS + 1):
        time.sleep(float(os.environ.get("FAKE_TRIAL_S", "0.3")) / REPORTS)
        value = curve(x, number / REPORTS)
        client.log_metric(work.run_id, "val/score", value, step=number)
        if report(round(WHOLE * number / REPORTS), value) and number < REPORTS:
            client.set_tag(work.run_id, PRUNED, "true")
            client.set_terminated(work.run_id, "FINISHED")
            return None
    if x > float(os.environ.get("FAKE_TRIAL_FAILS_ABOVE", "2")):
        client.set_terminated(work.run_id, "FAILED")
        raise RuntimeError("x is too large")
    values = {name: value + work.seed for name, _ in work.objectives}
    client.set_tag(work.run_id, VALUES, json.dumps(values))
    client.set_terminated(work.run_id, "FINISHED")
    return values


if __name__ == "__main__":
    if os.environ.get("FAKE_TRIAL_IS_DEAF"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    told = Work.read(Path(sys.argv[1]))
    end_with(told.supervisor)
    sys.exit(speak(told, train))
