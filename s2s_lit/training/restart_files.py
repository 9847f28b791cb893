"""The file that holds a training's newest restart point."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s2s_lit.checkpoint_files import load_checkpoint
from s2s_lit.data.sources.rows import reason_of
from s2s_lit.errors import UserError
from s2s_lit.processes import world_size

RESTART = "last.ckpt"
"""The file's name, in the run's folder."""

STATE = "restart"
"""Where a checkpoint keeps what only a restart point has."""


def read_restart(path: Path) -> dict[str, Any]:
    """The restart point in a file.

    Raises:
        UserError: There is none, or the file is no restart point.
    """
    if not path.is_file():
        raise UserError(f"there is no restart point {path}: it lies where the run was trained")
    content = load_checkpoint(path, mmap=True)
    try:
        restart = {**content[STATE], **content["s2s_lit"]}
        restart["random_states"], restart["config"].splitlines()
    except (LookupError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no restart point of this version of s2s_lit ({reason_of(error)})") from error
    return restart


def require_as_many(restart: Mapping[str, Any]) -> None:
    """Raises a UserError unless as many processes go on as were stopped: each has its own place in the data."""
    if (before := len(restart["random_states"])) != world_size():
        raise UserError(
            f"{before} processes were stopped and {world_size()} cannot go on: set trainer.devices={before}"
        )
