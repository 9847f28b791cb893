"""`s2s register`: a run's best checkpoint as a version of a model; the alias goes to a proven better one."""

from __future__ import annotations

import argparse

from s2s_lit.checks import single_name
from s2s_lit.comparison.champion import is_better
from s2s_lit.tracking.client.registry import champion, set_alias
from s2s_lit.tracking.client.registry import register as add_version
from s2s_lit.tracking.client.runs import find_run
from s2s_lit.tracking.lifecycle import mark_dead_runs


def register(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: 0 when the version is registered, whether or not the alias moved; it says which, and why."""
    for name, value in (("NAME", arguments.name), ("ALIAS", arguments.alias), ("SPLIT", arguments.split)):
        single_name(name, value)
    mark_dead_runs()
    run = find_run(arguments.run, dataset=arguments.dataset)
    version = add_version(run, arguments.name)
    print(f"{arguments.name} version {version.version}: {run}", flush=True)
    holder = champion(arguments.name, arguments.alias)
    if holder is not None and holder.version == version.version:
        print(f"it is {arguments.alias} already")
        return 0
    if holder is None:
        score = "" if run.score is None else f", {run.monitor} {run.score:.2f}"
        better, why = True, f"nobody was{score}"
    else:
        better, why = is_better(run, str(holder.run_id), arguments.split)
    if better:
        set_alias(arguments.name, arguments.alias, version.version)
        print(f"{arguments.alias} is version {version.version} now: {why}")
    else:
        assert holder is not None
        print(f"{arguments.alias} stays version {holder.version}: {why}")
    return 0
