"""`s2s compare`: what finished runs score on the same examples, and whether the differences are real."""

from __future__ import annotations

import argparse

from s2s_lit.checks import single_name
from s2s_lit.comparison.compute import compare as compare_runs
from s2s_lit.comparison.record import record
from s2s_lit.comparison.terminal import print_comparison
from s2s_lit.tracking.lifecycle import mark_dead_runs


def compare(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: tables in the terminal; the same and more as a page, kept in a run of kind `compare`."""
    single_name("SPLIT", arguments.split)
    mark_dead_runs()
    comparison = compare_runs(
        arguments.run,
        split=arguments.split,
        dataset=arguments.dataset,
        examples=arguments.examples,
        bootstrap=arguments.bootstrap,
        randomizations=arguments.randomizations,
    )
    print_comparison(comparison)
    file, run = record(comparison)
    print(f"\npage: {file}, and compare.html of run {run.run_id} in MLflow's experiment {run.dataset}")
    return 0
