"""`s2s generate`: texts from a finished run that reads no input, or from several as one."""

from __future__ import annotations

import argparse
import shlex

from s2s_lit.cli.lines import require_utf8, written
from s2s_lit.errors import UserError
from s2s_lit.inference.generator import generate as generated
from s2s_lit.inference.generator import prefix_ids
from s2s_lit.inference.models import load_models


def generate(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: one text a line; with sampling, finished ones first, likelier ones first."""
    if arguments.count < 1:
        raise UserError(f"--count must be at least 1, not {arguments.count}")
    if arguments.count > 1:
        overrides = [*overrides, f"--task.search.n_best={arguments.count}"]
    require_utf8(arguments.prefix, "--prefix")
    models = load_models(arguments.run, dataset=arguments.dataset, mean=arguments.mean, overrides=overrides)
    if models.fields.inputs:
        run, reads = shlex.quote(" ".join(arguments.run)), " and ".join(models.fields.inputs)
        raise UserError(f"this run reads {reads}, so give it some: make translate RUN={run} IN=FILE")
    prefix = prefix_ids(models, arguments.prefix)
    with written(arguments.target) as output:
        for texts in generated(models, [{}], prefix=prefix):
            output.writelines(f"{each.text}\n" for each in texts)
    return 0
