"""Through a checkpoint's file and back."""

from __future__ import annotations

import io
from typing import Any

import torch


def saved(state: dict[str, Any]) -> dict[str, Any]:
    """The state as whoever loads a checkpoint gets it, with `weights_only=True` as everywhere."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    found: dict[str, Any] = torch.load(file, weights_only=True)
    return found
