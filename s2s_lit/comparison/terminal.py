"""A comparison as tables in the terminal."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from s2s_lit.comparison.pairs import Pair
from s2s_lit.comparison.results import Comparison, Group
from s2s_lit.comparison.verdicts import basis, cells, verdict, what_differs
from s2s_lit.tracking.client.limits import cut

_LONGEST = 200  # characters of a text; the page has all of it


def print_comparison(comparison: Comparison) -> None:
    """Prints the scores, the tests against the first system, groups of examples, and those that differ most."""
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False, markup=False)
    names = ", ".join(system.name for system in comparison.systems)
    console.print(f"\n{names} on {comparison.examples} examples of the {comparison.split} split", style="bold")
    console.print(_scores(comparison))
    for note in comparison.notes:
        console.print(note, soft_wrap=True)
    for pair in comparison.pairs:
        console.print(_tests(pair))
        console.print(verdict(pair), style="bold", soft_wrap=True)
        console.print(basis(pair), soft_wrap=True)
        console.print(what_differs(pair), soft_wrap=True)
    for title, groups in comparison.groups.items():
        console.print(_groups(comparison, title, groups))
    for pair in comparison.pairs:
        said = f"{pair.other.name} and {pair.first.name} differ most ({comparison.example_score.label})"
        console.print(f"\nexamples on which {said}", style="bold")
        _print_examples(console, pair)


def _scores(comparison: Comparison) -> Table:
    labels = (f"{score.label} {'↑' if score.higher_is_better else '↓'}" for score in comparison.scores)
    table = Table("", *labels, "runs")
    for index, system in enumerate(comparison.systems):
        values = []
        for score in comparison.scores:
            found = comparison.table[score.name][index]
            if found is None:
                values.append("-")
                continue
            spread = "" if found.spread is None else f"\nseeds ± {score.printed(found.spread)}"
            values.append(f"{score.printed(found.tested.score)} ± {score.printed(found.tested.margin)}{spread}")
        table.add_row(system.name, *values, str(len(system.runs)))
    table.caption = f"± half of the 95 % interval over {comparison.bootstrap} resamples of the examples"
    return table


def _tests(pair: Pair) -> Table:
    columns = ("difference", "p bootstrap", "p randomization", "p seeds", "significant")
    table = Table(f"{pair.other.name} - {pair.first.name}", *columns)
    for score in pair.scores:
        table.add_row(score.label, *cells(pair, score))
    return table


def _groups(comparison: Comparison, title: str, groups: list[Group]) -> Table:
    score = comparison.closeup
    table = Table(title, "examples", *(f"{score.label} {system.name}" for system in comparison.systems))
    for group in groups:
        values = ("-" if value is None else score.printed(value) for value in group.values[score.name])
        table.add_row(group.label, str(group.size), *values)
    return table


def _print_examples(console: Console, pair: Pair) -> None:
    for example in pair.examples:
        lines = [
            *((name, "", text) for name, text in example.first.inputs.items()),
            *(("reference", "", reference) for reference in example.first.references),
            (pair.first.name, f"{example.first_score:.1f}", example.first.hypothesis),
            (pair.other.name, f"{example.other_score:.1f}", example.other.hypothesis),
        ]
        width = max(len(head) for head, _, _ in lines)
        for head, score, text in lines:
            console.print(f"{head:<{width}}  {score:>5}  {cut(text, _LONGEST)}", soft_wrap=True)
        console.print()
