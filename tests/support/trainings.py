"""Whole trainings in processes of their own, which can be killed; started from one that has everything imported."""

from __future__ import annotations

import base64
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.utilities import rank_zero_only
from mlflow.tracking import MlflowClient

from s2s_lit.__main__ import main
from s2s_lit.tracking import logger

EXPERIMENTS = Path(__file__).parents[2] / "experiments"

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A picture of one pixel."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["s2s_lit.cli.resume", "mlflow.store.tracking.sqlalchemy_store", "support.trainings"])


@dataclass(frozen=True)
class Kill:
    """Sends a signal to one rank when it begins its n-th step of any kind.

    These are forward, update, validation, saving and, on the first rank, putting what was saved in its place.
    """

    at: int
    rank: int = 0
    number: signal.Signals = signal.SIGKILL


class Project:
    """A folder as a user has it, with a store of its own.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "experiments").symlink_to(EXPERIMENTS)

    def s2s(self, *words: str, ranks: int = 1, kill: Kill | None = None) -> list[int]:
        """Runs a command on each rank; their exit codes. When one dies the others are killed, as torchrun does."""
        port = _free_port()
        processes: list[Any] = [
            _context.Process(target=_run, args=(self.folder, words, rank, ranks, port, kill)) for rank in range(ranks)
        ]
        for process in processes:
            process.start()
        waiting = list(processes)
        while waiting:
            multiprocessing.connection.wait([process.sentinel for process in waiting])
            ended = [process for process in waiting if not process.is_alive()]
            waiting = [process for process in waiting if process.is_alive()]
            if any(process.exitcode for process in ended):
                for process in waiting:
                    process.kill()
        return [process.exitcode for process in processes]

    @property
    def output(self) -> str:
        """What the commands printed."""
        return (self.folder / "output.txt").read_text()

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(_uri(self.folder))

    def history(self, run_id: str, names: Sequence[str]) -> dict[str, dict[int, set[float]]]:
        """The values of each metric at each step."""
        found: dict[str, dict[int, set[float]]] = {name: {} for name in names}
        for name in names:
            for point in self.client.get_metric_history(run_id, name):
                found[name].setdefault(point.step, set()).add(point.value)
        return found

    def weights(self, rank: int = 0) -> dict[str, torch.Tensor]:
        """The weights that the last training to reach its end ended with."""
        return torch.load(self.folder / f"weights-{rank}.pt", weights_only=True)


def _run(folder: Path, words: Sequence[str], rank: int, ranks: int, port: int, kill: Kill | None) -> None:
    os.chdir(folder)
    os.environ["MLFLOW_TRACKING_URI"] = _uri(folder)
    if ranks > 1:
        os.environ |= {
            "RANK": str(rank), "LOCAL_RANK": str(rank), "GROUP_RANK": "0", "GROUP_WORLD_SIZE": "1",
            "WORLD_SIZE": str(ranks), "LOCAL_WORLD_SIZE": str(ranks),
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
            "TORCHELASTIC_RUN_ID": str(port), "TORCH_CPP_LOG_LEVEL": "ERROR",
        }  # fmt: skip
    rank_zero_only.rank = rank  # which Lightning had read before there was one
    output = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = ["s2s", *words]
    torch.set_num_threads(1)
    logger.render = lambda *args: DOT  # type: ignore[assignment]  # pictures take longer than such a training
    _keep_weights(rank)
    if kill is not None and kill.rank == rank:
        _install(kill)
    sys.exit(main(words))


def _keep_weights(rank: int) -> None:
    from s2s_lit.training.restart_points import RestartPoints

    ended = RestartPoints.on_train_end

    def on_train_end(self: RestartPoints, trainer: Any, pl_module: Any) -> None:
        torch.save(pl_module.state_dict(), f"weights-{rank}.pt")
        ended(self, trainer, pl_module)

    RestartPoints.on_train_end = on_train_end  # type: ignore[method-assign]


def _install(kill: Kill) -> None:
    from s2s_lit import checkpoint_files
    from s2s_lit.tasks.base import Task
    from s2s_lit.training import restart_points

    begun = 0

    def counted(method: Any) -> Any:
        def step(*args: Any, **kwargs: Any) -> Any:
            nonlocal begun
            begun += 1
            if begun == kill.at:
                os.kill(os.getpid(), kill.number)
            return method(*args, **kwargs)

        return step

    owners: dict[Any, tuple[str, ...]] = {
        Task: ("training_step", "optimizer_step", "validation_step"),
        restart_points.RestartPoints: ("_save",),
        checkpoint_files: ("replace",),
    }
    for owner, names in owners.items():
        for name in names:
            setattr(owner, name, counted(getattr(owner, name)))


def _uri(folder: Path) -> str:
    return f"sqlite:///{folder}/mlflow.db"


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])
