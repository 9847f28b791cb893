"""`s2s sync`: sends what waits on this disk because a tracking store was away, or a process was killed."""

from __future__ import annotations

import argparse

from s2s_lit.errors import UserError
from s2s_lit.tracking.delivery.sync import send_left_behind
from s2s_lit.tracking.lifecycle import mark_dead_runs
from s2s_lit.tracking.run_folder import SAVE_DIR

_PATIENCE_S = 15.0


def sync(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: 0 when nothing waits any more."""
    missing: list[str] = []
    count, run_id = 0, arguments.run or ""
    for sent in send_left_behind(run=run_id, patience_s=_PATIENCE_S):
        count += 1
        if sent.count:
            print(f"run {sent.run_id}: {sent.count} entries sent to {sent.uri}", flush=True)
        for refused in sent.refused:
            print(f"  refused: {refused}")
        if sent.missing:
            missing.append(f"run {sent.run_id}, for {sent.uri}: {sent.missing}")
    for run in mark_dead_runs(run_id):
        print(f"run {run.run_id} was killed: its status is KILLED now")
    if missing:
        raise UserError("not everything could be sent; it stays where it is. " + "\n".join(missing))
    if not count:
        print(f"nothing waits under {SAVE_DIR}/")
    return 0
