"""What a supervisor tells the process of a trial, as a file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Work:
    """What a process is told.

    Attributes:
        number: The trial's.
        seed: Of this training.
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
