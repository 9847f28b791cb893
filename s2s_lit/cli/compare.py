"""`s2s compare`: what finished runs score on the same sentences, and whether the differences are real."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from s2s_lit.comparison.page import page
from s2s_lit.comparison.results import CHRF, Comparison
from s2s_lit.comparison.results import compare as compute
from s2s_lit.comparison.systems import code, find_systems
from s2s_lit.comparison.verdicts import basis, cells, notes, verdict, what_differs
from s2s_lit.errors import UserError
from s2s_lit.tracking.client.limits import cut
from s2s_lit.tracking.client.runs import TASK_TAG
from s2s_lit.tracking.lifecycle import mark_dead_runs, tracked_run
from s2s_lit.tracking.logger import MlflowTracker
from s2s_lit.tracking.records.provenance import provenance_tags

_LONGEST = 200  # characters of a sentence in the terminal; the page has all of it


def compare(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: tables in the terminal; the same and more as a page, kept in a run of kind `compare`."""
    for name in ("bootstrap", "randomizations", "sentences"):
        if getattr(arguments, name) < 1:
            raise UserError(f"--{name} must be at least 1, not {getattr(arguments, name)}")
    mark_dead_runs()
    systems = find_systems(arguments.run, arguments.split, dataset=arguments.dataset)
    comparison = compute(
        systems,
        arguments.split,
        sentences=arguments.sentences,
        bootstrap=arguments.bootstrap,
        randomizations=arguments.randomizations,
    )
    print_comparison(comparison)
    names = " vs ".join(system.name for system in systems)
    tracker = MlflowTracker(
        dataset=systems[0].runs[0].dataset,
        experiment="compare",
        kind="compare",
        run_name=f"compare {names} ({arguments.split})"[:250],
        tags={
            TASK_TAG: systems[0].runs[0].task,
            "s2s.compared": json.dumps([[run.run_id for run in system.runs] for system in systems]),
        },
    )
    with tracked_run(tracker):
        html = page(comparison)
        tracker.set_tags(provenance_tags())
        tracker.log_params({"systems": [s.name for s in systems], "split": arguments.split})
        tracker.log_text(html, "compare.html")
        tracker.log_text(_json(as_dict(comparison)), "compare.json")
        file = tracker.run_dir / "compare.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(html, encoding="utf-8")
    print(f"\npage: {file}, and compare.html of run {tracker.run_id} in MLflow's experiment {tracker.dataset}")
    return 0


def print_comparison(comparison: Comparison) -> None:
    """The scores, the tests against the first, chrF by groups of sentences, the sentences furthest apart."""
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False, markup=False)
    names = [system.name for system in comparison.systems]
    console.print(
        f"\n{', '.join(names)} on {comparison.sentences} sentences of the {comparison.split} split", style="bold"
    )
    console.print(_scores(comparison))
    for note in notes(comparison):
        console.print(note, soft_wrap=True)
    for index in range(1, len(names)):
        console.print(_tests(comparison, index))
        console.print(verdict(comparison, index), style="bold", soft_wrap=True)
        console.print(basis(comparison, index), soft_wrap=True)
        console.print(what_differs(comparison, index), soft_wrap=True)
    chrf = next(score for score in comparison.scores if score.name == CHRF)
    for title, groups in comparison.groups.items():
        table = Table(title, "sentences", *(f"chrF {name}" for name in names))
        for bucket, values in groups:
            table.add_row(
                bucket.label, str(len(bucket.rows)), *(chrf.printed(v) if v is not None else "-" for v in values[CHRF])
            )
        console.print(table)
    for index, apart in enumerate(comparison.apart, 1):
        console.print(f"\nsentences on which {names[index]} and {names[0]} differ most (chrF)", style="bold")
        width = max(len(names[0]), len(names[index]), len("reference"))
        for pair in apart:
            for head, text, score in (
                ("source", pair.first.source, None),
                ("reference", pair.first.reference, None),
                (names[0], pair.first.hypothesis, pair.first_score),
                (names[index], pair.other.hypothesis, pair.other_score),
            ):
                shown = cut(text, _LONGEST)
                console.print(f"{head:<{width}}  {'' if score is None else f'{score:.1f}':>5}  {shown}", soft_wrap=True)
            console.print()


def _scores(comparison: Comparison) -> Table:
    labels = (f"{score.label} {'↑' if score.higher_is_better else '↓'}" for score in comparison.scores)
    table = Table("", *labels, "runs")
    for index, system in enumerate(comparison.systems):
        values = []
        for score in comparison.scores:
            entry = comparison.table[score.name][index]
            if entry is None:
                values.append("-")
                continue
            spread = "" if entry.spread is None else f"\nseeds ± {score.printed(entry.spread)}"
            values.append(f"{score.printed(entry.tested.score)} ± {score.printed(entry.tested.margin)}{spread}")
        table.add_row(system.name, *values, str(len(system.runs)))
    table.caption = f"± half of the 95 % interval over {comparison.bootstrap} resamples of the sentences"
    return table


def _tests(comparison: Comparison, index: int) -> Table:
    first, other = comparison.systems[0].name, comparison.systems[index].name
    columns = ("difference", "p bootstrap", "p randomization", "p seeds", "significant")
    table = Table(f"{other} - {first}", *columns)
    for score in comparison.scores:
        table.add_row(score.label, *cells(comparison, score, index))
    return table


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """The numbers for programs."""
    return {
        "split": comparison.split,
        "sentences": comparison.sentences,
        "bootstrap": comparison.bootstrap,
        "randomizations": comparison.randomizations,
        "systems": [_system_as_dict(comparison, index) for index in range(len(comparison.systems))],
        "notes": notes(comparison),
        "verdicts": [
            f"{verdict(comparison, index)}. {basis(comparison, index)}" for index in range(1, len(comparison.systems))
        ],
        "chrf": {
            title: [
                {"group": bucket.label, "sentences": len(bucket.rows), "values": values[CHRF]}
                for bucket, values in groups
            ]
            for title, groups in comparison.groups.items()
        },
    }


def _system_as_dict(comparison: Comparison, index: int) -> dict[str, Any]:
    """A system's runs, what was left out, its scores, and how it differs from the first."""
    system = comparison.systems[index]
    return {
        "name": system.name,
        "runs": [run.run_id for run in system.runs],
        "code": [code(run) for run in system.runs],
        "left_out": {other.run.run_id: other.differences for other in system.left_out},
        "differences": comparison.differences(index),
        "scores": {
            score.name: {
                **vars(entry.tested),
                "seeds": entry.runs,
                "seeds_p": entry.seeds_p,
                "difference": entry.difference,
                "significant": comparison.significant(score, index),
            }
            for score in comparison.scores
            if (entry := comparison.table[score.name][index]) is not None
        },
    }


def _json(numbers: Any) -> str:
    """JSON knows no infinity, which a perplexity can be: null."""
    numbers = json.loads(json.dumps(numbers), parse_constant=lambda word: None)
    return json.dumps(numbers, indent=2, ensure_ascii=False, allow_nan=False)
