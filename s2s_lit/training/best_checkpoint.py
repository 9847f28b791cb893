"""The best checkpoint of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import ModelCheckpoint

from s2s_lit.errors import UserError
from s2s_lit.tasks.base import Task


class BestCheckpoint(ModelCheckpoint):
    """Lightning's, whose score so far holds in another place too: a project that was moved resumes with it."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        def here(path: str) -> str:
            return str(Path(str(self.dirpath)) / Path(path).name) if path else ""

        paths = {name: here(state_dict[name]) for name in ("best_model_path", "kth_best_model_path", "last_model_path")}
        kept = {here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**state_dict, **paths, "best_k_models": kept, "dirpath": self.dirpath})


def best_checkpoint(monitor: str, folder: Path, task: Task) -> ModelCheckpoint:
    """Keeps the checkpoint with the best monitored score.

    Raises:
        UserError: validation gives no such score.
    """
    scores = {f"val/{score.name}": score for score in task.scores}
    if monitor not in scores:
        raise UserError(f"monitor={monitor} is no score of a validation; there are: {', '.join(scores)}")
    return BestCheckpoint(
        dirpath=folder,
        filename="best",
        monitor=monitor,
        mode="max" if scores[monitor].higher_is_better else "min",
        save_weights_only=True,
        enable_version_counter=False,
    )
