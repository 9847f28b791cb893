"""Freed memory is used again without page faults. In processes of their own: the setting cannot be taken back."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, cast

import pytest

from s2s_lit.training import run as training

FAULTS = """
import resource, torch
from s2s_lit.training.allocator import keep_freed_memory
{begin}
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.zeros(2**24).add_(1)  # 64 MiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(min([faults() for _ in range(24)]))  # small objects behind the first ones leave too little room for another
"""


def faults_of_a_later_tensor(begin: str) -> int:
    command = [sys.executable, "-c", FAULTS.format(begin=begin)]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_a_tensor_takes_the_memory_of_a_freed_one() -> None:
    assert faults_of_a_later_tensor("keep_freed_memory()") < 100
    assert faults_of_a_later_tensor("") > 1000  # 16,384 pages


class AskedError(Exception):
    pass


def test_a_training_asks_for_it_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def called() -> None:
        raise AskedError

    monkeypatch.setattr(training, "keep_freed_memory", called)
    with pytest.raises(AskedError):
        training.run(cast(Any, None), cast(Any, None))
