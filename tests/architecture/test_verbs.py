"""The command line is thin: a verb takes arguments, calls one room, prints text."""

from __future__ import annotations

import ast
from pathlib import Path

from s2s_lit.cli.arguments import make_parser

CLI = Path(__file__).parents[2] / "s2s_lit" / "cli"
MOST_LINES = 1000
(_choices,) = [action.choices for action in make_parser()._actions if action.dest == "verb"]
VERBS = {verb.replace("-", "_") for verb in _choices or ()}


def imported(file: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_no_verb_imports_another() -> None:
    modules = {f"s2s_lit.cli.{verb}" for verb in VERBS}
    assert {file.stem for file in CLI.glob("*.py")} & VERBS
    for file in CLI.glob("*.py"):
        assert not imported(file) & modules, file.name


def test_the_command_line_stays_small() -> None:
    assert sum(len(file.read_text().splitlines()) for file in CLI.glob("*.py")) < MOST_LINES
