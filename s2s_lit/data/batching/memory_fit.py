"""Batches as large as the memory allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from random import Random

from s2s_lit.data.batching.batchers import Batcher, M, StepMemory, TokenBudget, positive
from s2s_lit.errors import UserError

_LINEAR = 1.8  # the growth under doubling from which on what grows with the batch is all that counts


class MemoryFit(Batcher):
    """A token budget that is chosen for the network and the machine before training begins.

    Training steps of 1, 2, 4, ... of the longest sentences that the data may have are tried until their memory grows
    in proportion to their number; `max_tokens` is what then fills `share` of the memory. As a part of what a step
    needs does not grow (gradients, the optimizer's state), this errs on the safe side: by less than a quarter where
    that part takes a tenth of the memory, by more where it takes most of it. The network's weights are not counted.
    A run that is to be repeated states `memory_gb`: what is free differs from time to time.

    Args:
        memory_gb: Memory for training steps, in 10^9 bytes; what is free on the device if none is given.
        share: The part of it to be filled; the rest is for what the measure does not see.
        pool: Sentences sorted at a time.
    """

    constant_count = False

    def __init__(self, *, memory_gb: float | None = None, share: float = 0.8, pool: int = 6400) -> None:
        if memory_gb is not None and memory_gb <= 0:
            raise UserError(f"data.batcher.memory_gb must be positive, not {memory_gb}")
        if not 0 < share <= 1:
            raise UserError(f"data.batcher.share must be above 0 and at most 1, not {share}")
        self.memory_gb = memory_gb
        self.share = share
        self.pool = positive("pool", pool)
        self.budget: TokenBudget | None = None

    def __call__(self, examples: Iterable[M], rng: Random) -> Iterator[list[M]]:
        if self.budget is None:
            raise RuntimeError("the budget is chosen by fit()")
        return self.budget(examples, rng)

    def fit(self, memory: StepMemory) -> dict[str, int]:
        limit = int(self.share * (memory.free if self.memory_gb is None else 1e9 * self.memory_gb))
        sentences, needed = 1, memory.needed(1)
        if needed > limit:
            raise UserError(
                f"a training step with one example of {' + '.join(map(str, memory.positions.values()))} positions "
                f"needs {_gb(needed)} of memory, and {_gb(limit)} may be used: give more (data.batcher.memory_gb) or "
                "lower the max_length of data.fields"
            )
        growth = 0.0
        while 2 * needed <= limit and growth < _LINEAR:
            sentences, before, needed = 2 * sentences, needed, memory.needed(2 * sentences)
            growth = needed / before
        positions = max(memory.positions.values())
        chosen = {"max_tokens": int(limit / needed * sentences * positions)}
        self.choose(chosen)
        return {**chosen, "bytes_per_token": needed // (sentences * positions)}

    def choose(self, chosen: Mapping[str, int]) -> None:
        self.budget = TokenBudget(max_tokens=chosen["max_tokens"], pool=self.pool)


def _gb(size: int) -> str:
    return f"{size / 1e9:.3g} GB"
