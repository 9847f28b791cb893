"""A comparison as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from s2s_lit.comparison.compute import compare as compare_runs
from s2s_lit.tracking.lifecycle import mark_dead_runs


def compare(runs: Sequence[str], *, split: str = "test", dataset: str | None = None, **settings: int) -> dict[str, Any]:
    """What the page of a comparison shows, as data that `json` can write.

    Args:
        runs: Experiments' names (all their seeds) or run ids; the first is what the others are tested against.
        split: The split whose predictions are compared.
        dataset: Look only among the runs on this data set.
        **settings: `examples`, `bootstrap` and `randomizations`, as `s2s_lit.comparison.compute.compare` has them.

    Raises:
        UserError: The runs are not found or cannot be compared.
    """
    mark_dead_runs()
    return compare_runs(runs, split=split, dataset=dataset, **settings).as_dict()
