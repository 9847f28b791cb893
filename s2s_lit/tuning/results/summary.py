"""What is left of a sweep when its trials are finished: tables, the best experiment as a file, pictures in its run."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.table import Table

from s2s_lit.errors import UserError
from s2s_lit.tracking.client.sweep_runs import SweepRuns
from s2s_lit.tuning.results.effects import Level, levels
from s2s_lit.tuning.search.sweep_file import Sweep
from s2s_lit.tuning.study import attributes
from s2s_lit.tuning.study.trials import best_trial, front, short_name, short_point

MARK = "# Best of sweep "
_COLUMNS = ("factor", "level", "mean", "spread", "best", "complete", "pruned", "failed")


def summarize(
    sweep: Sweep, study: optuna.Study, runs: SweepRuns, parent: str, *, threads: str, out: Path | None
) -> None:
    """Prints and keeps it; of a study without a complete trial there is nothing to say.

    Args:
        sweep: What was searched.
        study: Where.
        runs: The MLflow side.
        parent: The sweep's run.
        threads: How many a trial had, as that decides its last digits.
        out: File for the best experiment; by default `experiments/STUDY_best.yaml`.
    """
    best = best_trial(study)
    if best is None:
        print("\nno trial is complete, so there is no best one")
        return
    found = levels(sweep.space, study.get_trials(deepcopy=False))
    print_found(sweep, study, best, found)
    runs.tag(parent, {"s2s.best_trial": str(best.number), "s2s.best_run": best.user_attrs[attributes.RUN]})
    runs.metrics(parent, {f"best/{o.name}": v for o, v in zip(sweep.objectives, best.values, strict=True)}, best.number)
    rows = [effects_row(level, sweep.objectives[0].higher_is_better) for level in found]
    runs.table(parent, _COLUMNS, rows, "effects.json")
    draw(sweep, study, runs, parent)
    file = out or Path("experiments") / f"{study.study_name}_best.yaml"
    try:
        write_best(sweep, study, best, file, threads)
    except UserError as error:
        print(f"the best experiment was not written: {error}")
        return
    runs.text(parent, file.read_text(encoding="utf-8"), "best.yaml")
    which = "" if len(sweep.objectives) == 1 else f" (trial {best.number}, one of the front)"
    print(f"\nwritten: {file}{which}" + (f". Next:\n  {train_command(sweep, file)}" if out is None else ""))


def print_found(sweep: Sweep, study: optuna.Study, best: FrozenTrial, found: list[Level]) -> None:
    """Prints the objective at each level, the front if there are several objectives, and the best trial."""
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False, markup=False)
    high, name = sweep.objectives[0].higher_is_better, sweep.objectives[0].name
    console.print(f"\n{study.study_name}: {name} of the complete trials at each level", style="bold")
    console.print("no ablation: the sampler chose the trials, and those that were pruned are missing in the means")
    console.print("(in brackets where they were the most)")
    console.print(effects_table(found, high))
    if len(sweep.seeds) > 1:
        console.print(f"spread over the {len(sweep.seeds)} seeds of a trial: {seed_spread(sweep, study):.3g} (mean)")
    if len(sweep.objectives) > 1:
        console.print(front_table(sweep, study))
    console.print(f"{chosen(sweep, study)}: {best_line(sweep, best)}", style="bold", soft_wrap=True)


def write_best(sweep: Sweep, study: optuna.Study, best: FrozenTrial, file: Path, threads: str) -> None:
    """Writes the experiment of a trial.

    Raises:
        UserError: there is a file of that name that no sweep has written.
    """
    from s2s_lit.tuning.results.export import write_experiment  # and with it torch

    if file.is_file() and not file.read_text(encoding="utf-8").startswith(MARK):
        raise UserError(f"{file} exists and was not written by a sweep; give another with --out")
    config = sweep.compose(best.params, sweep.seeds[0])
    again = f"OMP_NUM_THREADS={threads} {train_command(sweep, file)}"
    comments = [
        f"{MARK[2:]}{study.study_name}: {best_line(sweep, best)}",
        *([] if len(sweep.objectives) == 1 else [f"It is {chosen(sweep, study)}."]),
        f"Of {len(study.get_trials(deepcopy=False))} trials of {sweep.experiment} on {sweep.dataset}, with the budget "
        f"of the sweep. {own_score(sweep, best)} {again}",
    ]
    write_experiment(config, file, comments)


def train_command(sweep: Sweep, file: Path) -> str:
    """What trains the experiment of a file on the sweep's data."""
    return f"make train EXP={file.stem}" + ("" if sweep.dataset == "builtin" else f" DATA={sweep.dataset}")


def own_score(sweep: Sweep, best: FrozenTrial) -> str:
    """What the exported experiment scores: of a mean over seeds the file can only be one."""
    if len(sweep.seeds) == 1:
        return "The same score again:"
    seed, name = sweep.seeds[0], sweep.objectives[0].name
    value = best.user_attrs[f"{attributes.SEED}{seed}"][name]
    return f"This file is seed {seed}, whose {name} was {value:.4f}; that again:"


def chosen(sweep: Sweep, study: optuna.Study) -> str:
    """Which trial is written, and out of how many that are as good."""
    if len(sweep.objectives) == 1:
        return "best"
    return f"the best in {sweep.objectives[0].name} of the {len(front(study))} trials on the Pareto front"


def best_line(sweep: Sweep, best: FrozenTrial) -> str:
    """A trial's values, over seeds with their spread, and its point."""
    said = []
    for index, objective in enumerate(sweep.objectives):
        each = [best.user_attrs[f"{attributes.SEED}{seed}"][objective.name] for seed in sweep.seeds]
        spread = f" ± {statistics.stdev(each):.2g} over {len(each)} seeds" if len(each) > 1 else ""
        said.append(f"{objective.name} {best.values[index]:.4f}{spread}")
    return f"trial {best.number}, {', '.join(said)}; {short_point(best.params)}"


def seed_spread(sweep: Sweep, study: optuna.Study) -> float:
    """The standard deviation of the first objective over seeds, a mean over the complete trials: what is no effect."""
    name = sweep.objectives[0].name
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    each = [[trial.user_attrs[f"{attributes.SEED}{seed}"][name] for seed in sweep.seeds] for trial in complete]
    return statistics.fmean(statistics.stdev(values) for values in each)


def effects_table(found: list[Level], high: bool) -> Table:
    """The levels of each factor."""
    table = Table(*_COLUMNS)
    for index, level in enumerate(found):
        row = effects_row(level, high)
        if row[2] is not None and level.survivors:
            row[2] = f"({row[2]})"
        first = index == 0 or found[index - 1].factor != level.factor
        table.add_row(*("" if cell is None else str(cell) for cell in [row[0] if first else "", *row[1:]]))
    return table


def effects_row(level: Level, high: bool) -> list[str | float | int | None]:
    """One level, under `_COLUMNS`."""
    numbers = (level.mean, level.spread, level.best(high))
    rounded = [None if number is None else round(number, 4) for number in numbers]
    return [short_name(level.factor), level.level, *rounded, len(level.values), level.pruned, level.failed]


def front_table(sweep: Sweep, study: optuna.Study) -> Table:
    """The trials that cannot be bettered in one objective without losing in another."""
    table = Table("Pareto front: trial", *(objective.name for objective in sweep.objectives), "point")
    for trial in front(study):
        table.add_row(str(trial.number), *(f"{value:.4g}" for value in trial.values), short_point(trial.params))
    return table


def draw(sweep: Sweep, study: optuna.Study, runs: SweepRuns, parent: str) -> None:
    """The pictures, into the sweep's run."""
    from s2s_lit.tuning.results.plots import pictures  # and with it Matplotlib

    for name, figure in pictures(study, sweep.objectives):
        runs.figure(parent, figure, f"sweep/{name}")
