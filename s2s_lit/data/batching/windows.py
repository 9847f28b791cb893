"""Windows of time steps: a batch's targets are seen token by token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from random import Random

from s2s_lit.data.batching.batchers import Batcher, M, StepMemory, Window, positive


class TimeStepWindows(Batcher):
    """Cuts the batches of another batcher into windows of `size` target positions, each a batch of its own.

    Truncated back-propagation through time (Williams & Peng 1990, section 3, with h = h' = `size`): the decoder of
    window n starts with the state that window n - 1 ended with, as a constant, so that gradients reach back to the
    start of their window and, by the source that is encoded again, to the encoder. A sentence that has ended is not
    in the windows that follow. Each window is counted as a batch: an optimizer step, unless steps are accumulated.

    Args:
        batcher: Groups the sentences.
        size: Target positions of a window.
    """

    constant_count = False
    cuts = True

    def __init__(self, *, batcher: Batcher, size: int) -> None:
        self.batcher = batcher
        self.size = positive("size", size)

    def __call__(self, examples: Iterable[M], rng: Random) -> Iterator[list[M]]:
        return self.batcher(examples, rng)

    def windows(self, batch: list[M]) -> Iterator[Window[M]]:
        # A state may hold weights over the inputs, so these are as wide in all windows.
        _, *sizes = map(max, zip(*(example.lengths for example in batch), strict=True))
        continues, start = None, 0
        while batch:
            stop = start + self.size
            kept = [row for row, example in enumerate(batch) if example.lengths[0] > stop]
            yield Window(batch, start, stop, continues, bool(kept), tuple(sizes))
            batch, continues, start = [batch[row] for row in kept], kept, stop

    def fit(self, memory: StepMemory) -> dict[str, int]:
        return self.batcher.fit(memory)  # for whole targets, which need more than windows of them

    def choose(self, chosen: Mapping[str, int]) -> None:
        self.batcher.choose(chosen)
