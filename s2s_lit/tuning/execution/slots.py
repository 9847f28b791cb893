"""A machine's shares: in each of them one trial runs at a time."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from s2s_lit.errors import UserError
from s2s_lit.tuning.search.sweep_file import Sweep


@dataclass(frozen=True)
class Slot:
    """A share of the machine in which one trial runs at a time."""

    index: int
    environment: Mapping[str, str]


def make_slots(workers: int, gpus: Sequence[str], per_trial: int = 1) -> list[Slot]:
    """Equal shares of the processor's cores, and of the GPUs in turn.

    Args:
        workers: How many trials run at a time.
        gpus: What CUDA calls the usable ones.
        per_trial: GPUs that one training uses.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = str(max(cores // workers, 1))
    slots = []
    for index in range(workers):
        environment = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads)}
        if gpus:
            mine = [gpus[(index * per_trial + i) % len(gpus)] for i in range(min(per_trial, len(gpus)))]
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(mine)
        slots.append(Slot(index, environment))
    return slots


def devices_of(slots: Sequence[Slot]) -> str:
    """Which GPUs the trials use, and whether some share one, in words; empty if they use none."""
    uses = Counter(gpu for slot in slots for gpu in slot.environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu)
    if not uses:
        return ""
    most = max(uses.values())
    return f" on GPU {', '.join(uses)}" + (f" (up to {most} trials share one)" if most > 1 else "")


def slots_of(searched: Sweep, workers: int) -> list[Slot]:
    """This machine's shares, by what one trial uses.

    Raises:
        UserError: GPUs are named, of which each trial would see but its own.
    """
    devices = str(searched.compose(searched.space.probes()[0], searched.seeds[0]).trainer.devices)
    if not devices.isdecimal() and devices not in ("auto", "-1"):
        raise UserError(
            f"trainer.devices={devices}: a sweep gives its trials their GPUs, so say how many one uses; "
            "CUDA_VISIBLE_DEVICES says which there are"
        )
    return make_slots(workers, visible_gpus(), int(devices) if devices.isdecimal() else 1)


def visible_gpus() -> list[str]:
    """What CUDA calls the GPUs that may be used."""
    import torch

    if not torch.cuda.is_available():
        return []
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    return given.split(",") if given else [str(index) for index in range(torch.cuda.device_count())]
