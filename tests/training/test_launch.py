"""What `trainer.devices` may say."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from jsonargparse import Namespace

from s2s_lit.errors import UserError
from s2s_lit.training.launch import for_processes, processes_to_start
from support import processes


def trainer(devices: Any) -> Namespace:
    return Namespace(devices=devices, accelerator="auto", num_nodes=1, strategy="auto")


@pytest.fixture
def four_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)


@pytest.mark.parametrize(
    ("devices", "count"),
    [("auto", 4), (-1, 4), ("-1", 4), (3, 3), ("3", 3), ("1,3", 2), ([1, 3], 2), ("2,", 1), ([0], 1)],
)
def test_each_way_to_name_devices(four_gpus: None, devices: Any, count: int) -> None:
    assert processes_to_start(trainer(devices)) == count


@pytest.mark.parametrize("devices", [0, "0", -2, "two", "1,x", ",", []])
def test_what_names_no_device_is_refused(four_gpus: None, devices: Any) -> None:
    with pytest.raises(UserError, match=r"give a number of processes from 1 on, or auto"):
        processes_to_start(trainer(devices))


def test_gpus_cannot_be_named_where_none_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"trainer\.devices=1,3 names GPUs"):
        processes_to_start(trainer("1,3"))
    assert processes_to_start(trainer("auto")) == 1


@pytest.mark.parametrize(("devices", "used"), [("1,3", [1, 3]), ([1, 3], [1, 3]), ("auto", 2), ("2", 2), (2, 2)])
def test_processes_train_on_the_devices_that_were_named(devices: Any, used: int | list[int]) -> None:
    assert processes.run(devices_in_each, devices) == [used, used]


def devices_in_each(devices: Any) -> int | list[int]:
    found: int | list[int] = for_processes(vars(trainer(devices)), unused=False)["devices"]
    return found
