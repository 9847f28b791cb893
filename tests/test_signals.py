"""SIGTERM ends a process as an exception does, once."""

from __future__ import annotations

import os
import signal

import pytest

from s2s_lit.errors import Terminated
from s2s_lit.signals import raised_sigterm


def test_sigterm_is_raised_once_and_cleaning_up_is_left_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    cleaned = []

    def body() -> None:
        with raised_sigterm():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)  # as from a parent with many threads
                cleaned.append(True)

    with pytest.raises(Terminated):
        body()
    assert cleaned == [True]
    assert signal.getsignal(signal.SIGTERM) is before
