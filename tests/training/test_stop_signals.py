"""Ctrl-C and SIGTERM ask a training to stop; a second one stops it at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from s2s_lit.errors import Terminated
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


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_asks_and_the_second_stops(number: signal.Signals, signals: StopSignals) -> None:
    assert signals.asked == 0
    os.kill(os.getpid(), number)
    assert signals.asked == number
    with pytest.raises(RAISED[number]):
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("second", SIGNALS)
def test_whoever_is_in_a_hurry_may_send_the_other_one(second: signal.Signals, signals: StopSignals) -> None:
    (first,) = set(SIGNALS) - {second}
    os.kill(os.getpid(), first)
    with pytest.raises(RAISED[second]):
        os.kill(os.getpid(), second)
