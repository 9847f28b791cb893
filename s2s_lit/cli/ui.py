"""`s2s ui`: the MLflow UI over the same store."""

from __future__ import annotations

import argparse

from s2s_lit.tracking.client.ui import ui as serve
from s2s_lit.tracking.lifecycle import mark_dead_runs


def ui(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: until Ctrl-C."""
    mark_dead_runs()
    serve(arguments.port)
    return 0
