"""Merges: how the two directions of a bidirectional layer become one output."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn


class Merge(nn.Module, ABC):
    """Makes one output of both directions', which lie side by side, forward first.

    Attributes:
        output_size: D, size of one output.
    """

    output_size: int

    @abstractmethod
    def forward(self, both: Float[Tensor, "*shape W"]) -> Float[Tensor, "*shape D"]: ...


class ConcatMerge(Merge):
    """y = [f; b]  (Schuster & Paliwal 1997; Bahdanau 2015, section 3.2).

    Args:
        hidden_size: H, size of one direction's output.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.output_size = 2 * hidden_size

    def forward(self, both: Float[Tensor, "*shape W"]) -> Float[Tensor, "*shape D"]:
        return both


class SumMerge(Merge):
    """y = f + b.

    Args:
        hidden_size: H, size of one direction's output.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.output_size = hidden_size

    def forward(self, both: Float[Tensor, "*shape W"]) -> Float[Tensor, "*shape D"]:
        return both.unflatten(-1, (2, -1)).sum(dim=-2)


class ProjectionMerge(Merge):
    """y = W [f; b] + b', of the size of one direction.

    Args:
        hidden_size: H, size of one direction's output.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.output_size = hidden_size
        self.layer = nn.Linear(2 * hidden_size, hidden_size)

    def forward(self, both: Float[Tensor, "*shape W"]) -> Float[Tensor, "*shape D"]:
        return self.layer(both)


MergeFactory = Callable[[int], Merge]
"""Makes a merge from (hidden_size), one for each layer."""
