"""What a run takes of its machine, every few seconds, through the run's own tracker: a store that fails cannot hurt."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from s2s_lit.tracking.logger import MlflowTracker

INTERVAL_S = 10.0
_MB = 1e6


@contextlib.contextmanager
def system_metrics(tracker: MlflowTracker, started: float) -> Iterator[None]:
    """While the body runs, a thread logs `system/*` each `INTERVAL_S`; the step is the seconds since `started`.

    (Seconds, not optimizer steps: a slow validation is to be seen, and a resumed run goes on to the right.)
    """
    ended = threading.Event()

    def sample() -> None:
        process = psutil.Process()
        read(process)  # the first call only starts the counters
        while not ended.wait(INTERVAL_S):
            with contextlib.suppress(psutil.Error, OSError, RuntimeError):
                tracker.log_metrics(read(process), step=int(time.time() - started))

    thread = threading.Thread(target=sample, name="system metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(1.0)


def read(process: psutil.Process) -> dict[str, float]:
    """The machine's and the process's processor and memory; of each GPU in use its memory and, if known, its load.

    Names are MLflow's own where it has one. A process's percent are of one core.
    """
    memory = psutil.virtual_memory()
    values = {
        "cpu_utilization_percentage": psutil.cpu_percent(),
        "system_memory_usage_megabytes": memory.used / _MB,
        "system_memory_usage_percentage": memory.percent,
        "process_cpu_percentage": process.cpu_percent(),
        "process_memory_megabytes": process.memory_info().rss / _MB,
    }
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        for index in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(index)
            values[f"gpu_{index}_memory_usage_megabytes"] = (total - free) / _MB
            values[f"gpu_{index}_memory_usage_percentage"] = 100 * (total - free) / total
            with contextlib.suppress(Exception):  # needs NVIDIA's library for Python
                values[f"gpu_{index}_utilization_percentage"] = float(torch.cuda.utilization(index))
    return {f"system/{name}": value for name, value in values.items()}
