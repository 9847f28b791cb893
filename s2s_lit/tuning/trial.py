"""`python -m s2s_lit.tuning.trial WORK.json`: one training of a trial, as `s2s train` does it, in its own process."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2s_lit.errors import UserError
from s2s_lit.tuning.channel import Client
from s2s_lit.tuning.objectives import COSTS, Objective, Pruned
from s2s_lit.tuning.processes import process_alive

if TYPE_CHECKING:
    from s2s_lit.tracking.logger import MlflowTracker

_LOOK_S = 1.0
_LAST_WORDS_S = 30.0


@dataclass(frozen=True)
class Work:
    """What a process is told.

    Attributes:
        number: The trial's.
        seed: Of this training.
        attempt: How many processes have died on it before.
        experiment: What is trained.
        dataset: On what.
        overrides: The trial's changes, as words of the command line.
        objectives: Names and whether higher is better.
        run_id: The MLflow run that the training is.
        address: Where the supervisor listens.
        supervisor: What identifies its process.
        reports: Whether intermediate values are told, so that the trial can be pruned.
    """

    number: int
    seed: int
    attempt: int
    experiment: str
    dataset: str
    overrides: list[str]
    objectives: list[list[Any]]
    run_id: str
    address: str
    supervisor: dict[str, Any]
    reports: bool

    def write(self, file: Path) -> None:
        """Writes what `read` reads."""
        file.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> Work:
        """What a supervisor wrote."""
        return cls(**json.loads(file.read_text(encoding="utf-8")))


Report = Callable[[int, float], bool]
"""Told the place in the training and the first objective's value there; whether to prune."""
Train = Callable[[Work, Report], "dict[str, float] | None"]
"""Trains as the run of the work; the objectives' values, None if it was pruned. The run says so, too, when it ends."""


def main(argv: Sequence[str], train: Train | None = None) -> int:
    """The process; 0 when the training is finished or was pruned."""
    work = Work.read(Path(argv[0]))
    threading.Thread(target=_end_with, args=[work.supervisor], daemon=True).start()
    first = int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) == 0
    client = Client(work.address) if first else None
    who = {"number": work.number, "seed": work.seed}

    def report(place: int, value: float) -> bool:
        if client is None:
            raise RuntimeError("the first process alone reports")
        return work.reports and bool(client.ask({**who, "place": place, "value": value})["prune"])

    try:
        values = (train or train_tracked)(work, report)
    except UserError as error:
        print(f"s2s: error: {error}", file=sys.stderr)
        return 2
    if client is not None:
        client.ask({**who, "values": values})
    return 0


def train_tracked(work: Work, report: Report) -> dict[str, float] | None:
    """A real training within the MLflow run that it is."""
    from s2s_lit.tracking.lifecycle import tracked_run
    from s2s_lit.tracking.logger import MlflowTracker
    from s2s_lit.tracking.sweeps import PRUNED, VALUES

    tracker = MlflowTracker(dataset=work.dataset, experiment=work.experiment, kind="trial", run_id=work.run_id)
    with tracked_run(tracker):
        try:
            values = train_experiment(work, tracker, report)
        except Pruned as pruned:
            print(pruned, flush=True)
            tracker.set_tags({PRUNED: "true"})
            return None
        tracker.set_tags({VALUES: json.dumps(values)})
        return values


def train_experiment(work: Work, tracker: MlflowTracker, report: Report) -> dict[str, float]:
    """What `s2s train` does with this configuration."""
    from s2s_lit.cli.compose import compose
    from s2s_lit.cli.train import run
    from s2s_lit.tuning.costs import measured
    from s2s_lit.tuning.pruning import Reporter

    config = compose(work.experiment, work.dataset, work.overrides)
    objectives = [Objective(name, high) for name, high in work.objectives]
    reporter = Reporter(objectives=[o for o in objectives if o.name not in COSTS], report=report)
    task, _ = run(config, tracker, [reporter])
    costs = measured([o.name for o in objectives if o.name in COSTS], task, config)
    found = {**reporter.values, **costs}
    tracker.log_metrics({f"objective/{name}": value for name, value in found.items()})
    return {objective.name: found[objective.name] for objective in objectives}


def _end_with(supervisor: dict[str, Any]) -> None:
    """Nothing trains on that nobody waits for: once the supervisor is gone this process is ended as by SIGTERM."""
    while process_alive(supervisor):
        time.sleep(_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LAST_WORDS_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
