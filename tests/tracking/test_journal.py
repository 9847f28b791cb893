from __future__ import annotations

import errno
import logging
import math
import multiprocessing
import os
import resource
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s2s_lit.tracking.delivery import journal as journals
from s2s_lit.tracking.delivery.entries import Artifact, Dataset, Entry, Params, Status, Tags, Value, decode, encode
from s2s_lit.tracking.delivery.journal import Journal

TEXTS = st.text(max_size=8)
MAPS = st.dictionaries(TEXTS, TEXTS, max_size=3)
ENTRIES: st.SearchStrategy[Entry] = st.one_of(
    st.builds(Value, TEXTS, st.floats(allow_nan=False), st.integers(), st.integers()),
    st.builds(Params, MAPS),
    st.builds(Tags, MAPS),
    st.builds(Artifact, TEXTS, st.none() | st.binary(max_size=9), st.none() | TEXTS),
    st.builds(Dataset, *[TEXTS] * 7),
    st.builds(Status, st.sampled_from(["FINISHED", "KILLED"]), st.integers()),
)


def value(number: int) -> Value:
    return Value("train/loss", float(number), 1000 + number, number)


def create(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path / "run", "sqlite:///x.db", "run")


def only_file(tmp_path: Path) -> Path:
    (file,) = (tmp_path / "run").iterdir()
    return file


def reopen(journal: Journal) -> Journal:
    journal.close()
    again = Journal.reopen(journal.file)
    assert again is not None
    assert (again.uri, again.run_id) == (journal.uri, journal.run_id)
    return again


def everything(journal: Journal) -> list[Entry]:
    found: list[Entry] = []
    while len(journal):
        found += journal.read(7)
        journal.advance()
    return found


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ENTRIES)
def test_an_entry_is_one_line(entry: Entry) -> None:
    line = encode(entry)
    assert line.count(b"\n") == 1
    assert decode(line) == entry


def test_not_a_number_is_kept() -> None:
    assert math.isnan(decode(encode(Value("a", math.nan, 1, 1))).value)  # type: ignore[union-attr]


@given(
    actions=st.lists(
        st.one_of(st.lists(ENTRIES, max_size=5), st.sampled_from(["send", "look", "reopen", "full", "room"]))
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_it_is_a_queue_whatever_happens(actions: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Against a deque: what is read is the front, through reopened files and disks that are full for a while."""
    place = tmp_path_factory.mktemp("queue")
    journal, expected = create(place), deque[Entry]()
    journal.append([first := Status("KILLED", 0)])
    expected.append(first)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journals, "_ROOM", 100)
        for action in actions:
            if isinstance(action, list):
                journal.append(action)
                expected.extend(action)
            elif action == "full":
                patch.setattr(journals, "_write", disk_full)
            elif action == "room":
                patch.setattr(journals, "_write", WRITE)
            elif action == "reopen" and len(journal) and not journal.in_memory:
                journal = reopen(journal)
            elif action in ("send", "look") and expected:
                batch = journal.read(2)
                assert batch == [expected[i] for i in range(len(batch))]
                if action == "send":
                    journal.advance()
                    for _ in batch:
                        expected.popleft()
            assert len(journal) == len(expected)
        assert everything(journal) == list(expected)
    journal.close()
    assert not (place / "run").exists()


WRITE = journals._write


def disk_full(*args: Any) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_values_that_stand_together_are_read_together(tmp_path: Path) -> None:
    journal = create(tmp_path)
    journal.append([value(1), value(2), Tags({"a": "b"}), Tags({"c": "d"}), value(3)])
    read = []
    while len(journal):
        read.append(len(journal.read(1000)))
        journal.advance()
    assert read == [2, 1, 1, 1]


def test_a_file_torn_anywhere_gives_the_whole_lines_before(tmp_path: Path) -> None:
    journal = create(tmp_path)
    journal.append(entries := [value(1), Artifact("a", b"\n\0x"), value(2)])
    content, name = only_file(tmp_path).read_bytes(), journal.file.name
    for length in range(len(content) + 1):
        torn = tmp_path / f"torn{length}" / name
        torn.parent.mkdir()
        torn.write_bytes(content[:length])
        again = Journal.reopen(torn)
        whole = max(content[:length].count(b"\n") - 1, 0)
        assert (everything(again) if again is not None else []) == entries[:whole]
        if again is not None:
            again.close()
        assert not torn.exists()


def test_long_lines_and_many_lines_are_read(tmp_path: Path) -> None:
    journal = create(tmp_path)
    entries: list[Entry] = [value(0), Artifact("big", os.urandom(journals._CHUNK * 3)), *map(value, range(9000))]
    journal.append(entries)
    assert everything(reopen(journal)) == entries


def test_a_file_whose_entries_have_arrived_is_cut(tmp_path: Path) -> None:
    journal = create(tmp_path)
    for number in range(40):
        journal.append([Artifact("big", os.urandom(100_000))])
        journal.read(1)
        journal.advance()
        assert only_file(tmp_path).stat().st_size < journals._ROOM + 300_000, number
    journal.append([value(1)])
    assert everything(reopen(journal)) == [value(1)]


def test_a_living_process_keeps_its_file(tmp_path: Path) -> None:
    journal = create(tmp_path)
    journal.append([value(1)])
    assert Journal.reopen(journal.file) is None  # in the process itself, too
    context = multiprocessing.get_context("fork")
    hears, says = context.Pipe(duplex=False)
    child = context.Process(target=lambda: says.send(free(journal.file)))
    child.start()
    assert hears.recv() is False
    child.join()
    journal.close()
    child = context.Process(target=lambda: says.send(free(journal.file)))
    child.start()
    assert hears.recv() is True
    child.join()


def free(file: Path) -> bool:
    journals._mine.clear()  # the fork has its parent's
    return Journal.reopen(file) is not None


def test_a_full_disk_is_said_once_and_loses_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In a process that may write no file beyond 4 kB, so the system itself refuses, within a line."""
    context = multiprocessing.get_context("fork")
    hears, says = context.Pipe(duplex=False)

    def body() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        journal = create(tmp_path)
        for number in range(100):
            journal.append([value(number), value(number + 1000)])
        waiting = journal.in_memory
        again = [e for e in everything(journal) if isinstance(e, Value)]
        journal.append([value(7)])
        says.send((waiting, [e.step for e in again], journal.in_memory, [r.message for r in caplog.records]))

    with caplog.at_level(logging.WARNING):
        child = context.Process(target=body)
        child.start()
        waiting, steps, later, messages = hears.recv()
        child.join()
    assert 100 < waiting < 200
    assert only_file(tmp_path).read_bytes().endswith(b"\n")  # the line that did not fit is gone
    assert steps == [step for number in range(100) for step in (number, number + 1000)]
    assert len(messages) == 1
    assert "File too large" in messages[0]
    assert later == 1  # this limit has not gone away


def test_a_folder_that_cannot_be_made_is_survived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "run").write_text("a file stands in the way")
    journal = create(tmp_path)
    journal.append([value(1), value(2)])
    assert journal.in_memory == 2
    assert everything(journal) == [value(1), value(2)]
    journal.close()
    assert len(caplog.records) == 1
