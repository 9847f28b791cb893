"""Programs of the system that some tests need: a browser, a database."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skips the test, or fails it where S2S_NEEDS_SERVICES says that all are installed, as CI does."""
    if os.environ.get("S2S_NEEDS_SERVICES"):
        pytest.fail(reason)
    pytest.skip(reason)
