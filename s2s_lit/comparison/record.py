"""A comparison is kept: its page on the disk, page and numbers in a tracked run of kind `compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from s2s_lit.comparison.page import page
from s2s_lit.comparison.results import Comparison
from s2s_lit.tracking.client.runs import TASK_TAG
from s2s_lit.tracking.lifecycle import tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.records.provenance import provenance_tags


def record(comparison: Comparison) -> tuple[Path, MlflowTracker]:
    """Writes `compare.html` and `compare.json`; gives the page's file and the tracker of the run that keeps both."""
    systems, split = comparison.systems, comparison.split
    names = [system.name for system in systems]
    tracker = MlflowTracker(
        dataset=systems[0].runs[0].dataset,
        experiment="compare",
        kind="compare",
        run_name=f"compare {' vs '.join(names)} ({split})"[:250],
        tags={
            TASK_TAG: systems[0].task,
            "s2s.compared": json.dumps([[run.run_id for run in system.runs] for system in systems]),
        },
    )
    with tracked_run(tracker):
        html = page(comparison)
        tracker.set_tags(provenance_tags())
        tracker.log_params({"systems": names, "split": split})
        tracker.log_text(html, "compare.html")
        tracker.log_text(_json(comparison.as_dict()), "compare.json")
        file = tracker.run_dir / "compare.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(html, encoding="utf-8")
    return file, tracker


def _json(values: dict[str, Any]) -> str:
    """JSON has no infinity, which a perplexity can be: it is written as null."""
    values = json.loads(json.dumps(values), parse_constant=lambda word: None)
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
