from __future__ import annotations

import errno
import itertools
import logging
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import BAD_REQUEST, INVALID_PARAMETER_VALUE

from s2s_lit.tracking.client.failures import reason_of
from s2s_lit.tracking.delivery.entries import Artifact, Params, Status, Tags, Value
from s2s_lit.tracking.delivery.journal import Journal
from s2s_lit.tracking.delivery.outbox import Outbox


class FakeClient:
    """A store that fails at the calls that `failing` names, before or after it has kept what it was given."""

    def __init__(
        self,
        failing: Iterator[str] | None = None,
        refused: str = "",
        delay_s: float = 0.0,
        failing_files: Iterator[str] | None = None,
    ) -> None:
        self.failing, self.refused, self.delay_s = failing or iter([]), refused, delay_s
        self.failing_files = failing_files or iter([])
        self.calls: list[int] = []
        self.kept: list[tuple[Any, ...]] = []
        self.files: list[tuple[str, str]] = []
        self.status = ""

    def log_artifact(self, run_id: str, file: str, folder: str | None) -> None:
        failure = next(self.failing_files, "")
        if failure == "before":
            raise PermissionError(13, "Permission denied", "/srv/mlartifacts")
        self.files.append((Path(file).name, Path(file).read_text()))
        if failure == "after":
            raise ConnectionError("reset")

    def set_terminated(self, run_id: str, status: str, end_time: int) -> None:
        self.status = f"{status} after {len(self.kept)} and {len(self.files)}"

    def log_batch(self, run_id: str, metrics: Any = (), params: Any = (), tags: Any = ()) -> None:
        time.sleep(self.delay_s)
        failure = next(self.failing, "")
        if failure == "before":
            raise ConnectionError("no route")
        if failure == "busy":
            raise MlflowException("QueuePool limit of size 5 overflow 10 reached", BAD_REQUEST)
        if any(m.key == self.refused for m in metrics):
            raise MlflowException("bad name", INVALID_PARAMETER_VALUE)
        self.calls.append(len(metrics))
        self.kept += [(m.key, m.value, m.timestamp, m.step) for m in metrics]
        self.kept += [(p.key, p.value) for p in (*params, *tags)]
        if failure == "after":
            raise ConnectionError("reset")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make_box(client: FakeClient, interval_s: float = 0.01) -> Outbox:
    journal = Journal.create(Path("spool"), "sqlite:///none.db", "run")
    return Outbox(client=client, journal=journal, interval_s=interval_s)  # type: ignore[arg-type]


def values(count: int) -> list[Value]:
    return [Value("train/loss", float(i), 1000 + i, i) for i in range(count)]


@given(
    failures=st.lists(st.sampled_from(["", "before", "busy", "after"]), max_size=6),
    file_failures=st.lists(st.sampled_from(["", "before", "after"]), max_size=6),
    entries=st.lists(st.sampled_from("vvvvptff"), max_size=40),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_everything_arrives_in_order_whatever_fails(
    failures: list[str], file_failures: list[str], entries: list[str]
) -> None:
    """Files among themselves, all else among itself, and the status last."""
    client = FakeClient(iter(failures), failing_files=iter(file_failures))
    box = make_box(client, interval_s=0.001)
    sent: list[tuple[Any, ...]] = []
    files: list[tuple[str, str]] = []
    for number, kind in enumerate(entries):
        if kind == "f":
            files.append(("same.json", str(number)))
            box.put(Artifact(f"samples/{files[-1][0]}", content=files[-1][1].encode()))
        elif kind == "v":
            sent.append(("m", float(number), number, number))
            box.put(Value(*sent[-1]))
        else:
            sent.append((f"{kind}{number}", "x"))
            box.put(Params(dict(sent[-1:])) if kind == "p" else Tags(dict(sent[-1:])))
    box.put(Status("FINISHED", 1))
    assert box.close(patience_s=20)
    assert list(dict.fromkeys(client.kept)) == sent  # a batch whose answer was lost comes twice, but is the same rows
    assert list(dict.fromkeys(client.files)) == files
    assert client.status == f"FINISHED after {len(client.kept)} and {len(client.files)}"


def test_files_that_cannot_arrive_hold_up_no_value(caplog: pytest.LogCaptureFixture) -> None:
    """The artifact store is away, the database is well; a later process sends what is left, in its order."""
    away = FakeClient(failing_files=itertools.repeat("before"))
    box = make_box(away)
    table = [Artifact("table.json", content=text) for text in (b"old", b"new")]
    box.put(table[0], *values(3), table[1], Tags({"a": "b"}), Status("FINISHED", 1))
    assert not box.close(patience_s=0.5)
    assert away.kept == [*map(tuple, values(3)), ("a", "b")]
    assert (away.files, away.status, len(box)) == ([], "", 3)
    assert [r.message for r in caplog.records] == [
        "The tracking store fails (table.json: [Errno 13] Permission denied: '/srv/mlartifacts'). "
        "What waits is sent again."
    ]
    journal = Journal.reopen(next(Path("spool").iterdir()))
    assert journal is not None
    assert Outbox(client=(well := FakeClient()), journal=journal).close(patience_s=5)  # type: ignore[arg-type]
    assert well.files == [("table.json", "old"), ("table.json", "new")]
    assert well.status == "FINISHED after 4 and 2"  # the values came twice
    assert not Path("spool").exists()


def test_values_that_go_on_are_no_reason_to_wait_for_files() -> None:
    """As the machine's use, which is measured every few seconds."""
    box = make_box(FakeClient(failing_files=itertools.repeat("before")))
    box.put(Artifact("table.json", content=b"{}"))
    stop = threading.Event()

    def measure() -> None:
        while not stop.wait(0.05):
            box.put(values(1)[0])

    measuring = threading.Thread(target=measure, daemon=True)
    measuring.start()
    began = time.monotonic()
    arrived = box.flush(patience_s=1.5)
    took = time.monotonic() - began
    stop.set()
    measuring.join()
    assert not arrived
    assert took < 5
    box.close(0.1)


def test_files_in_memory_wait_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk nothing is passed, for only the file remembers what waits."""
    client = FakeClient(failing_files=iter(["before"] * 3))
    box = make_box(client)
    box.put(Artifact("a", content=b"in the file"))
    with monkeypatch.context() as patch:
        patch.setattr("s2s_lit.tracking.delivery.journal._write", disk_full)
        box.put(Artifact("a", content=b"in memory"), *values(2))
    assert box.close(patience_s=20)
    assert client.files == [("a", "in the file"), ("a", "in memory")]
    assert client.kept == [tuple(v) for v in values(2)]


def disk_full(*args: Any) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_five_thousand_values_go_in_few_calls_of_at_most_a_thousand() -> None:
    client = FakeClient()
    box = make_box(client, interval_s=5.0)
    for value in values(5000):
        box.put(value)
    assert box.close(patience_s=5)
    assert client.kept == [tuple(v) for v in values(5000)]
    assert max(client.calls) <= 1000
    assert len(client.calls) <= 7


def test_a_slow_store_costs_the_caller_nothing() -> None:
    client = FakeClient(delay_s=0.3)
    box = make_box(client)
    began = time.perf_counter()
    for value in values(1000):
        box.put(value)
    assert time.perf_counter() - began < 0.1
    assert box.close(patience_s=5)
    assert len(client.kept) == 1000


def test_a_store_that_failed_is_asked_again_before_the_next_values_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s2s_lit.tracking.delivery.outbox._SHORTEST_PAUSE_S", 0.05)
    client = FakeClient(iter(["before"] * 2))
    box = make_box(client, interval_s=60.0)
    box.put(values(1)[0])
    box._wake.set()  # as if the 60 s were over
    deadline = time.monotonic() + 10
    while not client.kept and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(client.kept) == 1
    assert box.close(1.0)


def test_an_outage_is_said_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    client = FakeClient(iter(["before"] * 4))
    with caplog.at_level(logging.WARNING):
        box = make_box(client)
        for value in values(10):
            box.put(value)
        assert box.close(patience_s=20)
    assert [r.message.partition("(")[0].strip() for r in caplog.records] == [
        "The tracking store fails",
        "The tracking store answers again; what waited is being sent.",
    ]


def test_a_store_that_stays_away_is_given_up_after_the_patience() -> None:
    box = make_box(FakeClient(iter(["before"] * 1000)))
    for value in values(7):
        box.put(value)
    began = time.monotonic()
    assert not box.close(patience_s=0.6)
    assert time.monotonic() - began < 5
    assert len(box) == 7


def test_a_refused_value_does_not_take_its_neighbours_along() -> None:
    client = FakeClient(refused="bad")
    box = make_box(client, interval_s=5.0)
    mixed = [*values(3), Value("bad", 1.0, 1, 1), *values(6)[3:]]
    for value in mixed:
        box.put(value)
    box.put(Artifact("gone.txt", file="/nowhere/gone.txt"))
    assert box.close(patience_s=5)
    assert client.kept == [tuple(v) for v in values(6)]
    assert [line.partition(":")[0] for line in box.refused] == ["bad", "gone.txt"]


def test_a_server_whose_database_is_busy_has_refused_nothing() -> None:
    client = FakeClient(iter(["busy"]))
    box = make_box(client)
    box.put(values(1)[0])
    assert box.close(patience_s=5)
    assert client.kept == [tuple(v) for v in values(1)]
    assert not box.refused


def test_values_put_by_several_threads_all_arrive() -> None:
    client = FakeClient(iter(random.Random(0).choices(["", "", "before"], k=50)))
    box = make_box(client, interval_s=0.001)
    threads = [
        threading.Thread(target=lambda t=t: [box.put(Value(f"m{t}", float(i), i, i)) for i in range(500)])
        for t in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert box.close(patience_s=30)
    for t in range(4):
        assert [k[3] for k in client.kept if k[0] == f"m{t}"] == list(range(500))


def test_no_process_waits_for_the_thread() -> None:
    box = make_box(FakeClient())
    assert box._thread.daemon
    assert box.close(1.0)
    assert not box._thread.is_alive()


def test_a_slow_store_is_not_a_failing_one() -> None:
    client = FakeClient(delay_s=1.2)
    box = make_box(client)
    box.put(values(1)[0])
    assert box.close(patience_s=0.2)
    assert len(client.kept) == 1


def test_the_reason_is_one_line_that_names_the_error() -> None:
    wrapped = "(raised as a result of autoflush)\n(sqlite3.OperationalError) database or disk is full\n[SQL: INSERT]"
    assert reason_of(Exception(wrapped)) == "(sqlite3.OperationalError) database or disk is full"
    assert reason_of(OSError("gone\nfor good")) == "gone"
    assert reason_of(ValueError()) == "ValueError"
