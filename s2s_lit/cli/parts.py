"""`s2s parts`: the shelf. Every part that a configuration can name, by kind, with what its docstring says."""

from __future__ import annotations

import argparse
import inspect
import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from s2s_lit.config.catalogue import shelf
from s2s_lit.errors import UserError, did_you_mean


def parts(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: a table of all parts, of one kind, or all that is known of one part."""
    found = shelf()
    console = Console(width=None if sys.stdout.isatty() else 140)
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
            table.add_row("" if number else kind, cls.__name__, escape(_summary(cls)), end_section=last)
    return table


def _summary(cls: type) -> str:
    return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())


def _describe(console: Console, kind: str, cls: type) -> None:
    console.print(f"{kind} {cls.__name__}", style="bold")
    print(f"\n{_documentation(cls)}\n")
    table = Table("setting", "type", "default")
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            default = "(required)" if parameter.default is parameter.empty else _shown(parameter.default)
            table.add_row(parameter.name, escape(str(parameter.annotation)), escape(default))
    if table.row_count:
        console.print(table)


def _documentation(cls: type) -> str:
    """Its docstring, with the settings of the class whose constructor it has where it states none of its own."""
    own = inspect.getdoc(cls) or ""
    if "Args:" in own:
        return own
    maker = next(base for base in cls.__mro__ if "__init__" in vars(base))
    return own + "".join((inspect.getdoc(maker) or "").partition("\n\nArgs:")[1:])


def _shown(default: object) -> str:
    return default.__name__ if inspect.isclass(default) else str(default)
