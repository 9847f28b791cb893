"""Ctrl-C and SIGTERM ask a training to stop; a second one stops it at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from s2s_lit.errors import Terminated
from s2s_lit.training import stop_signals
from s2s_lit.training.stop_signals import SIGNALS, StopSignals

RAISED = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}


@pytest.fixture
def signals() -> Iterator[StopSignals]:
    before = [signal.getsignal(number) for number in SIGNALS]
    signals = StopSignals()
    signals.listen()
    yield signals
    signals.stop_listening()
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize("second", SIGNALS)
@pytest.mark.parametrize("first", SIGNALS)
def test_the_first_asks_and_a_later_one_stops(
    first: signal.Signals, second: signal.Signals, signals: StopSignals, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert signals.asked == 0
    os.kill(os.getpid(), first)
    os.kill(os.getpid(), first)  # at once, as from a parent that dies with many threads
    assert signals.asked == first
    monkeypatch.setattr(stop_signals, "_AGAIN_S", 0.0)
    with pytest.raises(RAISED[second]):
        os.kill(os.getpid(), second)
