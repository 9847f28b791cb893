"""How much memory training steps need, measured on the device that trains."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from weakref import WeakSet, finalize

import psutil
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from s2s_lit.optim.parameter_groups import decay_groups
from s2s_lit.processes import largest, local_world_size, smallest
from s2s_lit.tasks.base import Task
from s2s_lit.types import TARGET, Batch, Target


class StepMemory:
    """Tries training steps on a copy of a task, so that its weights and the random numbers stay as they are.

    Processes that train together all ask the same, and are told what holds for the worst off of them.

    Args:
        task: what is to be trained.
        device: where.
        positions: Of each example that is tried, by field, marks counted.
    """

    def __init__(self, task: Task, device: torch.device, *, positions: dict[str, int]) -> None:
        self.task = task
        self.device = device
        self.positions = positions

    @property
    def free(self) -> int:
        """Bytes that are free beside the weights; on the CPU a process's share of what the machine has, whatever a
        container may use."""
        _ = self._trained
        if self.device.type != "cuda":
            return smallest(psutil.virtual_memory().available // local_world_size())
        torch.cuda.empty_cache()
        return smallest(torch.cuda.mem_get_info(self.device)[0])

    def needed(self, count: int) -> int:
        """Most bytes beyond the weights in a step with `count` examples: activations, gradients, optimizer state.

        Of two steps, as an optimizer makes its state in the first. CUDA's own count; on the CPU the sum of all tensors
        that live at once, which leaves out what a kernel needs within itself.
        """
        task, batch = self._trained, self._batch(count).to(self.device)
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices), _peak(task, self.device) as peak:
            optimizer = task.make_optimizer(decay_groups(task))
            for step in range(2):
                task.training_step(batch, step).backward()
                optimizer.step()
                optimizer.zero_grad()
        return largest(peak[0])

    @cached_property
    def _trained(self) -> Task:
        task = copy.deepcopy(self.task, {id(self.task.fields): self.task.fields})
        return task.to(self.device).train()

    def _batch(self, count: int) -> Batch:
        fields, length = self.task.fields, self.positions[TARGET]
        target = fields.target.blank(count, length)
        return Batch(fields.blank_inputs(count, self.positions), Target(target.values, target.values, target.lengths))


@contextmanager
def _peak(module: nn.Module, device: torch.device) -> Iterator[list[int]]:
    """Holds afterwards the most bytes that were allocated at once within the block."""
    peak: list[int] = []
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield peak
        peak.append(torch.cuda.max_memory_allocated(device) - before)
        return
    with _LiveTensors(module) as live:
        yield peak
    peak.append(live.peak)


class _LiveTensors(TorchDispatchMode):
    """Counts the bytes of all tensors that come to be and are still alive, besides a module's own."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        own = [*module.parameters(), *module.buffers()]
        self._known = WeakSet(tensor.untyped_storage() for tensor in own)
        self._live = self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor) and value.untyped_storage() not in self._known:
                self._count(value.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        self._known.add(storage)
        self._live += storage.nbytes()
        self.peak = max(self.peak, self._live)
        finalize(storage, self._free, storage.nbytes())

    def _free(self, size: int) -> None:
        self._live -= size
