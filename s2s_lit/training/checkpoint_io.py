"""How Lightning writes and reads checkpoints: as files with a checksum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch.plugins.io import CheckpointIO

from s2s_lit.checkpoint_files import load_checkpoint, remove_checkpoint, save_checkpoint


class CheckedFiles(CheckpointIO):
    """Lightning's own way says nothing when a folder cannot be written, and reads what was damaged."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        save_checkpoint(checkpoint, Path(path))

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        return load_checkpoint(Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        remove_checkpoint(Path(path))
