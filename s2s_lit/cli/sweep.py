"""`s2s sweep`: searches a space with trials of their own, beside other machines that do the same."""

from __future__ import annotations

import argparse
import shlex
import sys

from rich.table import Table

from s2s_lit.checks import single_name
from s2s_lit.cli.tables import terminal
from s2s_lit.errors import UserError
from s2s_lit.tuning.execution.sweep import run_sweep
from s2s_lit.tuning.search.sweep_file import FOLDER
from s2s_lit.tuning.search.sweep_reader import names, read_sweep

STOPPED = 3
"""Status of a command that was stopped before all trials were finished."""


def sweep(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: 0 when all trials are finished, 3 when it was stopped before; without a name it lists the sweeps."""
    if arguments.name is None:
        print_sweeps()
        return 0
    if arguments.study is not None:
        single_name("--study", arguments.study)
    finished = run_sweep(
        arguments.name,
        storage=arguments.storage,
        study=arguments.study,
        trials=arguments.trials,
        data_dir=arguments.data_dir,
        workers=arguments.workers,
        ablate=arguments.ablate,
        out=arguments.out,
    )
    if finished:
        return 0
    print(f"\nstopped; the same command goes on: {shlex.join(['s2s', *sys.argv[1:]])}")
    return STOPPED


def print_sweeps() -> None:
    """What can be searched."""
    table = Table("make sweep SWEEP=", "what it is", "trials", "objectives")
    for name in names():
        try:
            searched = read_sweep(name)
        except UserError as error:  # the others can still be searched
            table.add_row(name, f"cannot be used: {error}", "", "")
            continue
        objectives = ", ".join(f"{o.name} {'↑' if o.higher_is_better else '↓'}" for o in searched.objectives)
        table.add_row(name, searched.what, str(searched.trials), objectives)
    if not table.row_count:
        raise UserError(f"{FOLDER}/ has no sweep: run this in the project's folder")
    terminal(160).print(table, markup=False)
