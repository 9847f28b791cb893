"""Several processes on one machine: the program starts itself again under torch's elastic launcher.

On several machines the user starts that launcher, `torchrun`; the processes are the same then.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jsonargparse import Namespace
from lightning.pytorch.strategies import DDPStrategy

from s2s_lit.data.batching.batchers import Batcher
from s2s_lit.errors import UserError
from s2s_lit.models.base import Model
from s2s_lit.processes import OURS, TIMEOUT, launched, local_world_size, world_size

_LOOPBACK = {"linux": "lo", "darwin": "lo0"}
_PATIENCE_S = 120  # for a run that was stopped to upload its checkpoint


def processes_to_start(trainer: Namespace) -> int:
    """How many processes `trainer.devices` asks for, 1 where the launcher has started them already.

    Raises:
        UserError: for several machines, as one program cannot start what runs on another.
    """
    if launched():
        return 1
    if trainer.num_nodes > 1:
        raise UserError(
            f"trainer.num_nodes={trainer.num_nodes}: leave it out and start on each machine "
            f"torchrun --nnodes {trainer.num_nodes} --nproc-per-node DEVICES --rdzv-backend c10d "
            "--rdzv-endpoint FIRST_MACHINE:PORT -m s2s_lit train ..."
        )
    on_gpus = trainer.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    devices = _devices(trainer.devices, torch.cuda.device_count() if on_gpus else 1)
    if isinstance(devices, int):
        return devices
    if not on_gpus:
        raise UserError(f"trainer.devices={trainer.devices} names GPUs, but none is used: give a number of processes")
    return len(devices)


def _devices(given: Any, available: int) -> int | list[int]:
    """How many devices `trainer.devices` asks for, or which ones, where they are named: `[1, 3]` or `1,3`.

    Raises:
        UserError: it asks for none.
    """
    if given in ("auto", -1, "-1"):
        return available
    try:
        listed = given.split(",") if isinstance(given, str) and "," in given else given
        devices = [int(index) for index in listed if index != ""] if isinstance(listed, list) else int(listed)
    except ValueError:
        devices = 0
    if devices == [] or (isinstance(devices, int) and devices < 1):
        raise UserError(f"trainer.devices={given}: give a number of processes from 1 on, or auto")
    return devices


def launch(processes: int, words: Sequence[str]) -> int:
    """Runs `s2s WORDS` in so many processes; the status of the first one that failed, or 0.

    If one fails, the others are stopped. The cores are shared among them unless OMP_NUM_THREADS is set.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, torch.get_num_threads() // processes)))
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", str(_PATIENCE_S))
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    if sys.platform in _LOOPBACK:  # what is on one machine need not be heard by others
        os.environ.setdefault("GLOO_SOCKET_IFNAME", _LOOPBACK[sys.platform])
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    with _without_log():
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=processes,
            run_id=OURS,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            local_addr="localhost",
            max_restarts=0,
            logs_specs=DefaultLogsSpecs(log_dir=os.devnull),
        )
        try:
            elastic_launch(config, sys.executable)("-m", "s2s_lit", *words)
        except SignalException as error:
            return 128 + int(error.sigval)
        except ChildFailedError as error:
            return _status({rank: failure.exitcode for rank, failure in error.failures.items()})
    return 0


@contextlib.contextmanager
def _without_log() -> Iterator[None]:
    """The processes say what is to be said; the launcher's notes of it would only repeat it."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _status(codes: dict[int, int]) -> int:
    """What the processes ended with; they have said why, except those that were killed."""
    for rank, code in codes.items():
        if code < 0 and -code != signal.SIGTERM:
            hint = ": is memory short?" if -code == signal.SIGKILL else ""
            print(f"s2s: error: process {rank} was ended by {signal.Signals(-code).name}{hint}", file=sys.stderr)
            return 128 - code
    found = [code if code > 0 else 128 - code for code in codes.values()]
    stopped = 128 + signal.SIGTERM  # as the launcher stops those that have not failed by themselves
    return next((code for code in found if code != stopped), stopped)


def leaves_out(model: Model, batcher: Batcher) -> bool:
    """Whether a step may leave parameters without a gradient; a window that goes on leaves out the bridge."""
    return batcher.cuts or model.leaves_out


def for_processes(given: dict[str, Any], *, unused: bool) -> dict[str, Any]:
    """The arguments of Lightning's Trainer in one of several processes, from those of the configuration.

    Args:
        given: those of the configuration.
        unused: a step may leave parameters without a gradient, so they are looked for in each, which takes time.

    Raises:
        UserError: another strategy is configured.
    """
    if world_size() == 1:
        return given
    if given["strategy"] not in ("auto", "ddp"):
        raise UserError(f"trainer.strategy={given['strategy']} is not supported: leave it out")
    strategy = DDPStrategy(gradient_as_bucket_view=True, find_unused_parameters=unused, timeout=TIMEOUT)
    local = local_world_size()
    devices = _devices(given["devices"], local)
    named = devices if isinstance(devices, list) else local
    return {**given, "devices": named, "num_nodes": world_size() // local, "strategy": strategy}
