"""`s2s trial WORK.json`: trains what the supervisor of a sweep wrote into a file."""

from __future__ import annotations

import argparse

from s2s_lit.tuning.execution.trial import run_trial


def trial(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb that a supervisor uses: 0 when the training is finished or was pruned."""
    return run_trial(arguments.work, arguments.words)
