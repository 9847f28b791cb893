"""The best checkpoint of a run."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from s2s_lit.errors import UserError
from s2s_lit.tasks.base import Task

_LOSS = "val/loss"


class BestCheckpoint(ModelCheckpoint):
    """Keeps the checkpoint of the best validation, and what that validation scored.

    The best has the best monitored score. Of several that are equal in it (a metric of found outputs is 0 at first) it
    is the one with the lowest loss, and of several that are equal in both the last one.

    Attributes:
        kept: The scores of the validation whose checkpoint is kept; empty before the first.
        step: The optimizer step that it followed.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.kept: dict[str, float] = {}
        self.step = 0

    def improves(self, scores: Mapping[str, Tensor]) -> bool:
        """Whether a validation with these scores is to be kept instead of the one before."""
        return not self.kept or self._rank(scores) >= self._rank(self.kept)

    def _rank(self, scores: Mapping[str, Any]) -> tuple[float, float]:
        """The higher the better; what is no number is the worst."""
        monitored = float(scores[str(self.monitor)])
        ranks = (monitored if self.mode == "max" else -monitored), -float(scores.get(_LOSS, math.inf))
        return tuple(-math.inf if math.isnan(rank) else rank for rank in ranks)  # type: ignore[return-value]

    def check_monitor_top_k(self, trainer: Trainer, current: Tensor | None = None) -> bool:
        """Lightning's question whether to save, which it does whenever the answer is yes."""
        if current is None:
            return False
        better = trainer.strategy.reduce_boolean_decision(self.improves(trainer.callback_metrics))
        if better:
            self.kept = {name: float(v) for name, v in trainer.callback_metrics.items() if name.startswith("val/")}
            self.step = trainer.global_step
        return better

    # What a restart point carries on

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "kept": self.kept, "step": self.step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Its score so far holds in another place, too: a project that was moved resumes with it."""

        def here(path: str) -> str:
            return str(Path(str(self.dirpath)) / Path(path).name) if path else ""

        paths = {name: here(state_dict[name]) for name in ("best_model_path", "kth_best_model_path", "last_model_path")}
        kept = {here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**state_dict, **paths, "best_k_models": kept, "dirpath": self.dirpath})
        self.kept, self.step = dict(state_dict["kept"]), state_dict["step"]


def require_monitor(monitor: str, scores: Collection[str]) -> None:
    """Refuses a monitor that is none of a validation's scores.

    Raises:
        UserError: It is none.
    """
    if monitor not in scores:
        raise UserError(f"monitor={monitor} is no score of a validation; there are: {', '.join(scores)}")


def best_checkpoint(monitor: str, folder: Path, task: Task) -> BestCheckpoint:
    """Keeps the checkpoint with the best monitored score.

    Raises:
        UserError: Validation gives no such score.
    """
    scores = {f"val/{score.name}": score for score in task.scores}
    require_monitor(monitor, scores)
    return BestCheckpoint(
        dirpath=folder,
        filename="best",
        monitor=monitor,
        mode="max" if scores[monitor].higher_is_better else "min",
        save_weights_only=True,
        enable_version_counter=False,
    )
