"""How far a training has come: a bar in a terminal, lines in a log file, and a line at each validation in both."""

from __future__ import annotations

import math
import sys
import time
from typing import Any, cast

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from tqdm import tqdm

from s2s_lit.tasks.base import Task
from s2s_lit.training.console import say, what_is_trained

_BAR_S, _LINE_S = 0.5, 30.0


class Progress(Callback):
    """Says what is trained, then how far it has come, with the loss, the rate and the time that is left.

    Args:
        terminal: Whether somebody watches: then a bar moves, else a line is printed every half minute.
    """

    def __init__(self, *, terminal: bool | None = None) -> None:
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._bar: tqdm[Any] | None = None
        self._since = self._shown = time.monotonic()
        self._begun = 0
        """Steps that were done when this process began."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._since = self._shown = time.monotonic()
        self._begun = trainer.global_step
        if trainer.is_global_zero:
            say(what_is_trained(trainer, cast(Task, pl_module)))
            self._open("training", trainer.estimated_stepping_batches, " steps", self._begun)

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any, **kwargs: Any) -> None:
        if not trainer.is_global_zero or time.monotonic() - self._shown < (_BAR_S if self._terminal else _LINE_S):
            return
        self._shown = time.monotonic()
        if self._bar is None:
            say(f"{self._place(trainer)}  {_joined(self._state(trainer, {'train/loss': 'train loss'}))}")
        else:
            self._bar.set_postfix_str(", ".join(_state(trainer, {"train/loss": "loss"})), refresh=False)
            self._bar.update(trainer.global_step - self._bar.n)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._bar is not None:
            self._bar.set_description("validating")

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero or trainer.sanity_checking:
            return
        shown = {"train/loss": "train loss", "val/loss": "val loss", "val/perplexity": "ppl"}
        shown |= {f"val/{metric.name}": metric.label for metric in cast(Task, pl_module).text_metrics[:2]}
        say(f"{self._place(trainer)}  {_joined(_state(trainer, shown))}")
        self._shown = time.monotonic()
        if self._bar is not None:
            self._bar.set_description("training")

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._close()

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            self._open("testing", sum(trainer.num_test_batches), " batches", 0)

    def on_test_batch_end(self, trainer: pl.Trainer, *args: Any, **kwargs: Any) -> None:
        if self._bar is not None:
            self._bar.update()

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._close()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._close()

    def _open(self, what: str, total: float, unit: str, done: int) -> None:
        if self._terminal:
            known = total if math.isfinite(total) else None
            self._bar = tqdm(desc=what, total=known, initial=done, unit=unit, leave=False, dynamic_ncols=True)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _place(self, trainer: pl.Trainer) -> str:
        elapsed = _clock(time.monotonic() - self._since)
        return f"step {trainer.global_step:>6}  epoch {trainer.current_epoch + 1:>3}  {elapsed:>6}"

    def _state(self, trainer: pl.Trainer, shown: dict[str, str]) -> list[str]:
        """The values, and the time that is left as long as it is known."""
        done, steps = trainer.global_step - self._begun, trainer.estimated_stepping_batches
        if not done or not math.isfinite(steps):
            return _state(trainer, shown)
        left = (time.monotonic() - self._since) / done * (steps - trainer.global_step)
        return [*_state(trainer, shown), f"{_clock(left)} left"]


def _state(trainer: pl.Trainer, shown: dict[str, str]) -> list[str]:
    """The last values of what is `shown` (its keys, with their labels), and the rate."""
    values = trainer.callback_metrics
    found = [f"{label} {values[key]:.3f}" for key, label in shown.items() if key in values]
    rate = values.get("train/tokens_per_second")
    return [*found, f"{rate:.0f} tokens/s"] if rate is not None else found


def _joined(values: list[str]) -> str:
    return "  ".join(values)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes}:{seconds:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
