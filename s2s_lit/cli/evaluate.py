"""`s2s evaluate`: scores a finished run again."""

from __future__ import annotations

import argparse

from s2s_lit.checks import single_name
from s2s_lit.cli.tables import print_scores
from s2s_lit.config.overrides import data_dir_override
from s2s_lit.tracking.client.runs import find_run
from s2s_lit.tracking.lifecycle import mark_dead_runs
from s2s_lit.training.evaluation import evaluate as score_again


def evaluate(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: a table of the scores, beside those that the run had logged of the split before."""
    single_name("SPLIT", arguments.split)
    mark_dead_runs()
    record = find_run(arguments.run, dataset=arguments.dataset)
    overrides = [*overrides, *data_dir_override(arguments.data_dir, record.dataset)]
    evaluated = score_again(record, arguments.split, overrides)
    columns = {arguments.split: evaluated.scores} | ({"logged before": evaluated.logged} if evaluated.logged else {})
    print_scores(f"{record.name} on the {arguments.split} split", columns, evaluated.known)
    return 0
