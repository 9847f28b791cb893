"""Tables and lines that verbs print."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from s2s_lit.metrics.score import Score


def terminal(width: int = 140) -> Console:
    """Standard output; where it is no terminal, tables are `width` characters wide at most."""
    return Console(width=None if sys.stdout.isatty() else width, highlight=False)


def print_scores(title: str, columns: Mapping[str, Mapping[str, float]], scores: Sequence[Score]) -> None:
    """A table: one row a score, one column each of `columns` (their values keyed by the score's bare name).

    `scores` say how they are printed and in which order; what they do not know comes last, as it is called.
    """
    console = terminal(120)
    console.print(f"\n{title}", style="bold", markup=False)
    table = Table()
    table.add_column("score")
    for column in columns:
        table.add_column(column, justify="right")
    known = {score.name: score for score in scores}
    logged = dict.fromkeys(name for values in columns.values() for name in values)
    for name in [*(name for name in known if name in logged), *(name for name in logged if name not in known)]:
        score = known.get(name) or Score(name, name, "{:.4f}", higher_is_better=True)
        table.add_row(score.label, *(score.printed(v[name]) if name in v else "-" for v in columns.values()))
    console.print(table)
