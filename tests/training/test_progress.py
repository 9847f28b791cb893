"""What is seen of a training on its way, in a terminal and in a log file."""

from __future__ import annotations

import io
import math
import os
import sys
import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from s2s_lit.training import progress
from s2s_lit.training.progress import Progress
from s2s_lit.training.quiet_libraries import quiet_libraries

TASK: Any = SimpleNamespace(text_metrics=[SimpleNamespace(name="bleu", label="BLEU")], parameters=lambda: [])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A step takes ten seconds."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def trainer(steps: float = 12) -> Any:
    data = SimpleNamespace(streaming=True, report={"splits": {}})
    return SimpleNamespace(
        is_global_zero=True, sanity_checking=False, global_step=0, current_epoch=0, estimated_stepping_batches=steps,
        callback_metrics={}, datamodule=data, num_training_batches=math.inf, world_size=1, max_steps=12,
        precision="32-true", strategy=SimpleNamespace(root_device=torch.device("cpu")), num_test_batches=[2],
    )  # fmt: skip


def train(shown: Progress, clock: Clock, steps: float = 12) -> None:
    place = trainer(steps)
    shown.on_train_start(place, TASK)
    for step in range(1, 13):
        clock.now += 10
        place.global_step = step
        place.callback_metrics |= {
            "train/loss": torch.tensor(5 - step / 10), "train/tokens_per_second": torch.tensor(3000.0)
        }  # fmt: skip
        shown.on_train_batch_end(place)
    shown.on_validation_start(place, TASK)
    place.callback_metrics |= {"val/loss": torch.tensor(2.5), "val/bleu": torch.tensor(0.5)}
    shown.on_validation_end(place, TASK)
    shown.on_train_end(place, TASK)


def test_a_log_file_gets_a_loss_line_every_half_minute(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    train(Progress(), clock)
    out, error = capsys.readouterr()
    assert error == ""
    assert out.splitlines()[2:] == [
        "step      3  epoch   1    0:30  train loss 4.700  3000 tokens/s  1:30 left",
        "step      6  epoch   1    1:00  train loss 4.400  3000 tokens/s  1:00 left",
        "step      9  epoch   1    1:30  train loss 4.100  3000 tokens/s  0:30 left",
        "step     12  epoch   1    2:00  train loss 3.800  3000 tokens/s  0:00 left",
        "step     12  epoch   1    2:00  train loss 3.800  val loss 2.500  BLEU 0.500  3000 tokens/s",
    ]


def test_of_a_training_without_a_known_end_no_time_is_left(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    train(Progress(), clock, steps=math.inf)
    assert "left" not in capsys.readouterr().out


def test_a_terminal_gets_one_bar(
    clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    train(Progress(), clock)
    out = capsys.readouterr().out
    assert [line[:11] for line in out.splitlines()[2:]] == ["step     12"]
    bars = terminal.getvalue()
    assert "training" in bars
    assert "validating" in bars
    assert "loss=" not in bars
    assert "loss 3.8" in bars
    assert "3000 tokens/s" in bars
    assert "12/12" in bars
    assert bars.rstrip(" ").endswith("\r")  # nothing of it is left


def test_a_terminal_gets_a_bar_of_the_test(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    shown, place = Progress(), trainer()
    shown.on_test_start(place, TASK)
    shown.on_test_batch_end(place)
    shown.on_test_end(place, TASK)
    assert "testing" in terminal.getvalue()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("job", [False, True])
def test_a_hint_about_srun_is_for_a_job_of_slurm(job: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    if job:
        monkeypatch.setitem(os.environ, "SLURM_JOB_ID", "7")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        quiet_libraries()
        warnings.warn("The `srun` command is available on your system but is not used.", stacklevel=1)
    assert len(told) == job
