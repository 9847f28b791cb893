"""Kills a running sweep's processes at random, and starts its supervisors again, until it is finished."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil

from support import fake_sweep

ROOT = Path(__file__).parents[2]


def sweep_under_fire(
    storage: str,
    *,
    trials: int,
    supervisors: int,
    workers: int,
    kills: int,
    supervisor_share: float,
    seed: int,
    pause_s: tuple[float, float],
) -> Counter[str]:
    """Runs a sweep of fake trials to its end while killing so many processes; how many of each kind were killed.

    Args:
        storage: Where the study lies.
        trials: Of the study.
        supervisors: How many commands run beside one another; one that is killed is started again.
        workers: Trials at a time of each.
        kills: How many processes are killed at least.
        supervisor_share: The share of them that are supervisors.
        seed: Of what is killed when.
        pause_s: Least and greatest time between two kills.
    """
    draw = random.Random(seed)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(Path(fake_sweep.__file__)), storage, str(trials), str(workers)]
    output = Path("supervisors.log").open("ab")  # noqa: SIM115 - as long as they live

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(words, env=environment, stdout=output, stderr=output)

    running = [start() for _ in range(supervisors)]
    killed: Counter[str] = Counter()
    deadline = time.monotonic() + 1500
    try:
        while any(process.poll() is None for process in running):
            assert time.monotonic() < deadline, Path("supervisors.log").read_text()[-3000:]
            time.sleep(draw.uniform(*pause_s))
            if killed.total() < kills:
                index = draw.randrange(len(running))
                killed += _kill(running[index], draw, supervisor_share)
            for index, process in enumerate(running):
                if process.poll() == -signal.SIGKILL:
                    running[index] = start()
    finally:
        for process in running:
            process.kill()
            process.wait()
        output.close()
    assert [process.returncode for process in running] == [0] * supervisors, Path("supervisors.log").read_text()[-3000:]
    return killed


def _kill(supervisor: subprocess.Popen[bytes], draw: random.Random, supervisor_share: float) -> Counter[str]:
    """One of its trials, or itself if it has any."""
    try:
        trials = psutil.Process(supervisor.pid).children()
        if not trials:
            return Counter()
        if draw.random() < supervisor_share:
            supervisor.kill()
            supervisor.wait()
            return Counter(supervisor=1)
        draw.choice(trials).kill()
    except psutil.NoSuchProcess:
        return Counter()
    return Counter(trial=1)
