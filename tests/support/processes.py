"""Functions run by several processes at once, as `torchrun` would start them, in a fraction of a second."""

from __future__ import annotations

import os
import pickle
import traceback
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from lightning.fabric.utilities.rank_zero import rank_zero_only

from s2s_lit.processes import joined


class ProcessError(AssertionError):
    """What a process raised, as text."""


def run(function: Callable[..., Any], *arguments: Any, processes: int = 2) -> list[Any]:
    """What `function(*arguments)` returns in each of the processes, which have joined.

    Raises:
        ProcessError: one of them raised.
    """
    answers = each(function, *arguments, processes=processes)
    for good, value in answers:
        if not good:
            raise ProcessError(value)
    return [value for _, value in answers]


def each(function: Callable[..., Any], *arguments: Any, processes: int = 2) -> list[tuple[bool, Any]]:
    """For each process whether it returned, and what, or its traceback."""
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)  # as the launcher keeps one
    context = mp.get_context("fork")
    results = context.SimpleQueue()
    given = (processes, store.port, results, function, arguments)
    started = mp.start_processes(_work, args=given, nprocs=processes, join=False, start_method="fork")
    answers = dict(results.get() for _ in range(processes))  # first, as a pipe holds little
    started.join()
    return [(good, pickle.loads(value)) for good, value in (answers[rank] for rank in range(processes))]


def _work(
    rank: int,
    processes: int,
    port: int,
    results: SimpleQueue[tuple[int, tuple[bool, bytes]]],
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    torch.set_num_threads(1)
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "test",
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes),
    }
    rank_zero_only.rank = rank
    try:
        with joined():
            answer = function(*arguments)
    except BaseException:
        results.put((rank, (False, pickle.dumps(traceback.format_exc()))))
    else:
        results.put((rank, (True, pickle.dumps(answer))))  # tensors too are copied
