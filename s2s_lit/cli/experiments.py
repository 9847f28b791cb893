"""`s2s experiments`: what can be trained, by the first line of each file."""

from __future__ import annotations

import argparse

from rich.table import Table

from s2s_lit.cli.tables import terminal
from s2s_lit.config.experiments import FOLDER, list_experiments
from s2s_lit.errors import UserError


def experiments(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: a table of the experiments and of the data they can be trained on."""
    for folder, command in ((FOLDER, "make train EXP="), (FOLDER / "data", "DATA=")):
        table = Table(command, "what it is")
        for name, what in list_experiments(folder).items():
            table.add_row(name, what)
        if not table.row_count:
            raise UserError(f"{folder}/ has no experiment: run this in the project's folder")
        terminal().print(table, markup=False)
    return 0
