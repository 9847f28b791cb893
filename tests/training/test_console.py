"""What a training says of itself."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import nn

from s2s_lit.training.console import what_is_trained


def trainer(**settings: Any) -> Any:
    data = SimpleNamespace(streaming=False, report={"splits": {"train": {"kept": 29000}}})
    usual = {
        "datamodule": data, "num_training_batches": 454, "max_epochs": 4, "max_steps": -1, "world_size": 1,
        "estimated_stepping_batches": 1816, "strategy": SimpleNamespace(root_device=torch.device("cpu")),
        "precision": "32-true",
    }  # fmt: skip
    return SimpleNamespace(**{**usual, **settings})


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "pairs 29,000, batches an epoch 454, epochs 4, steps 1,816, device cpu, precision 32-true"),
        (
            {"max_steps": 50, "estimated_stepping_batches": 50, "world_size": 2},
            "pairs 29,000, batches an epoch 454, steps 50, processes 2, device cpu, precision 32-true",
        ),
        (
            {
                "datamodule": SimpleNamespace(streaming=True, report={"splits": {}}), "max_epochs": -1,
                "num_training_batches": math.inf, "max_steps": 5000, "estimated_stepping_batches": 5000,
                "strategy": SimpleNamespace(root_device=torch.device("cuda:1")), "precision": "bf16-mixed",
            },
            "pairs of a stream, steps 5,000, device cuda, precision bf16-mixed",
        ),
    ],
    ids=["in memory", "steps", "stream"],
)  # fmt: skip
def test_it_names_size_length_and_place(settings: dict[str, Any], says: str) -> None:
    task = cast(Any, nn.Linear(999, 2))
    assert what_is_trained(trainer(**settings), task) == f"model: 2,000 parameters\ntraining: {says}"
