"""Which process a record means, and whether it can be seen from here."""

from __future__ import annotations

import pytest

from s2s_lit.tracking import process_identity as identities
from s2s_lit.tracking.process_identity import identity, place, process_alive

EARLIER = {"boot": "the one before", "started": 1.0}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has all that identifies it."""
    here = {"host": "localhost", "machine": "3d12", "boot": "5958", "space": "pid:[4026531836]"}
    monkeypatch.setattr(identities, "place", lambda: here)


@pytest.mark.parametrize(
    ("changes", "alive"),
    [
        ({}, True),
        ({"pid": 2**22 + 1}, False),
        ({"started": 1.0}, False),
        (EARLIER, False),
        ({"boot": "that of another, started from a copy of the same image"}, None),
        ({"space": "pid:[1]"}, None),
        ({**EARLIER, "machine": "another"}, None),
        ({**EARLIER, "host": "another"}, None),
    ],
)
def test_a_process_is_recognized_where_it_can_be_seen(changes: dict[str, object], alive: bool | None) -> None:
    assert process_alive({**identity(), **changes}) is alive


def test_without_a_machine_s_id_another_boot_may_be_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in containers that were given the same host name."""
    monkeypatch.setattr(identities, "place", lambda: {**place(), "host": "localhost", "machine": ""})
    assert process_alive({**identity(), **EARLIER}) is None


def test_what_an_earlier_version_wrote_is_taken_as_of_here() -> None:
    old = {key: value for key, value in identity().items() if key in ("host", "pid", "started")}
    assert process_alive(old) is True
    assert process_alive({**old, "started": 1.0}) is False
