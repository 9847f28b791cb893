from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from s2s_lit.data.batching.batchers import Batcher, FixedSize
from s2s_lit.training.preparation import fit_batches


class Chooser(FixedSize):
    def fit(self, memory: Any) -> dict[str, int]:
        return {"max_tokens": memory.positions["source"] + 1000 * memory.positions["target"]}


@pytest.mark.parametrize(
    ("batcher", "line", "params"),
    [
        (FixedSize(size=1), "", []),
        (
            Chooser(size=1),
            "chosen for this machine: max_tokens 21011\n",
            [{"data": {"batcher": {"chosen": {"max_tokens": 21011}}}}],
        ),
    ],
)
def test_what_is_chosen_for_the_machine_is_said_and_recorded(
    batcher: Batcher, line: str, params: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    recorded: list[Any] = []
    data = SimpleNamespace(batcher=batcher, longest={"source": 11, "target": 21})
    tracker = SimpleNamespace(log_params=recorded.append)
    fit_batches(cast(Any, data), cast(Any, None), torch.device("cpu"), cast(Any, tracker))
    assert capsys.readouterr().out == line
    assert recorded == params
