"""What a person sees while a sweep runs: a panel that is redrawn in a terminal, a line an event elsewhere."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections import Counter

import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from s2s_lit.tuning.search.sweep_file import Sweep
from s2s_lit.tuning.study import attributes
from s2s_lit.tuning.study.storage import outages
from s2s_lit.tuning.study.trials import best_trial, infeasible, short_point

_SHOWN = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


class Progress:
    """Watches a supervisor.

    Args:
        sweep: What is searched.
        study: Where.
    """

    def __init__(self, sweep: Sweep, study: optuna.Study) -> None:
        self._sweep, self._study = sweep, study
        self._since = time.monotonic()
        self._finished_before = len(self._trials(*_SHOWN))
        self._last = ""
        self._live: Live | None = None
        if sys.stdout.isatty():
            self._live = Live(get_renderable=self._panel, refresh_per_second=1, console=Console(), transient=True)

    def __enter__(self) -> Progress:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: str, trial: FrozenTrial) -> None:
        """Takes note of an event."""
        if event == "reported":
            return
        line = self._line(event, trial)
        self._last = line
        if self._live is not None:
            self._live.console.print(line, highlight=False, markup=False)
        else:
            print(line, flush=True)

    def _line(self, event: str, trial: FrozenTrial) -> str:
        what = f"trial {trial.number:>3} {event:<9}"
        if event == "started":
            return f"{what} {short_point(trial.params)}"
        if event == "retried":
            return f"{what} {trial.user_attrs[attributes.DEATHS][-1]}; {trial.user_attrs[attributes.RETRIES]} so far"
        if event in ("fail", "refused"):
            return f"{what} {trial.user_attrs.get(attributes.FAILURE, '')}"
        if event == "complete":
            found = zip(self._sweep.objectives, trial.values, strict=True)
            said = ", ".join(f"{objective.name} {value:.4g}" for objective, value in found)
            return f"{what} {said}   ({self._standing()})"
        if event == "pruned" and trial.intermediate_values:
            place, value = max(trial.intermediate_values.items())
            return f"{what} at {place / 10:.0f} % with {self._sweep.objectives[0].name} {value:.4g}"
        return what

    def _standing(self) -> str:
        """Counts, the best, the time left."""
        trials = self._study.get_trials(deepcopy=False)
        counts = Counter(trial.state for trial in trials if not infeasible(trial))
        refused = sum(map(infeasible, trials))
        parts = [f"{sum(counts[state] for state in _SHOWN)}/{self._sweep.trials}"]
        parts += [f"{counts[state]} {name}" for state, name in _SHOWN.items() if counts[state]]
        parts += [f"{refused} refused"] if refused else []
        best = best_trial(self._study)
        if best is not None and len(self._sweep.objectives) == 1:
            parts.append(f"best {best.value:.4g} (trial {best.number})")
        left = self._left()
        return ", ".join([*parts, *([f"about {left} left"] if left else [])])

    def _left(self) -> str:
        """Reckoned from the pace of this command so far."""
        finished = len(self._trials(*_SHOWN))
        done = finished - self._finished_before
        if not done:
            return ""
        seconds = (time.monotonic() - self._since) / done * max(self._sweep.trials - finished, 0)
        return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        found = self._study.get_trials(deepcopy=False, states=states)
        return [trial for trial in found if not infeasible(trial)]

    def _panel(self) -> Group | Text:
        try:
            return self._drawn()
        except outages():
            return Text("the storage does not answer")

    def _drawn(self) -> Group:
        table = Table(title=f"sweep {self._study.study_name}", title_justify="left")
        for column in ("trial", "done", self._sweep.objectives[0].name, "point"):
            table.add_column(column, overflow="fold")
        for trial in self._trials(TrialState.RUNNING):
            place, value = max(trial.intermediate_values.items(), default=(0, None))
            shown = "-" if value is None else f"{value:.4g}"
            table.add_row(str(trial.number), f"{place / 10:.0f} %", shown, Text(short_point(trial.params)))
        return Group(table, Text(self._standing()))


def print_nowhere() -> None:
    """To be called when the terminal is gone, which would make each further line an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        if stat.S_ISCHR(os.fstat(stream).st_mode):  # no file or pipe
            os.dup2(nowhere, stream)
    os.close(nowhere)
