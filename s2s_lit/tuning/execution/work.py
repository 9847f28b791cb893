"""What a supervisor tells the process of a trial, as a file."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from s2s_lit.tuning.execution.channel import Address


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
        key: What the supervisor is to be spoken to with, in hexadecimal digits.
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
    address: Address
    key: str
    supervisor: dict[str, Any]
    reports: bool

    def write(self, file: Path) -> None:
        """Writes what `read` reads, for this user's eyes alone: whoever has the key may speak for the trial."""
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as written:
            json.dump(asdict(self), written, indent=1)

    @classmethod
    def read(cls, file: Path) -> Work:
        """What a supervisor wrote."""
        told = json.loads(file.read_text(encoding="utf-8"))
        return cls(**{**told, "address": tuple(told["address"])})
