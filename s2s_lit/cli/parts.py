"""`s2s parts`: the shelf. Every part that a configuration can name, by kind, with what its docstring says."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from s2s_lit.cli.tables import terminal
from s2s_lit.config.catalogue import shelf
from s2s_lit.config.settings import description, settings, summary
from s2s_lit.errors import UserError, did_you_mean


def parts(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: a table of all parts, of one kind, or all that is known of one part."""
    found = shelf()
    console = terminal()
    name = arguments.name
    named = {cls.__name__: (kind, cls) for kind, classes in found.items() for cls in classes}
    if name in named:
        _describe(console, *named[name])
    elif name is None or name in found:
        console.print(_table({name: found[name]} if name else found))
        print("s2s parts NAME tells its settings; a configuration names a part by class_path.")
    else:
        raise UserError(f"no kind and no part is called {name}{did_you_mean(name, [*found, *named])}")
    return 0


def _table(found: dict[str, list[type]]) -> Table:
    table = Table("kind", "part", "what it is")
    for kind, classes in found.items():
        for number, cls in enumerate(classes):
            last = number == len(classes) - 1
            table.add_row("" if number else kind, cls.__name__, escape(summary(cls)), end_section=last)
    return table


def _describe(console: Console, kind: str, cls: type) -> None:
    console.print(f"{kind} {cls.__name__}", style="bold")
    print(f"\n{description(cls)}\n")
    table = Table("setting", "what it is", "type", "default", show_lines=True)
    for setting in settings(cls):
        table.add_row(*map(escape, (setting.name, setting.meaning, setting.type, setting.default)))
    if table.row_count:
        console.print(table)
