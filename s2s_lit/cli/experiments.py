"""`s2s experiments`: what can be trained, by the first line of each file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from s2s_lit.errors import UserError


def experiments(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: a table of the experiments and of the data they can be trained on."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    for folder, command in ((Path("experiments"), "make train EXP="), (Path("experiments/data"), "DATA=")):
        table = Table(command, "what it is")
        for file in sorted(folder.glob("*.yaml")):
            if file.stem != "base":
                table.add_row(file.stem, first_comment(file))
        if not table.row_count:
            raise UserError(f"{folder}/ has no experiment: run this in the project's folder")
        console.print(table, markup=False)
    return 0


def first_comment(file: Path) -> str:
    """The first line of a file without its mark; an empty text if it is no comment."""
    line = file.read_text(encoding="utf-8").partition("\n")[0]
    return line.removeprefix("#").strip() if line.startswith("#") else ""
