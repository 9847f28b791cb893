"""Temporary folders end with their process, or with the next one."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from s2s_lit import scratch
from s2s_lit.scratch import scratch_folder

PACKAGE = Path(scratch.__file__).parent


@pytest.fixture(autouse=True)
def new_process() -> None:
    scratch._remove_abandoned.cache_clear()


def test_a_folder_is_removed_with_what_is_in_it(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        (folder / "any").write_text("any")
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "s2s_lit-file").write_text("none of ours")
    (tmp_path / "other").mkdir()

    def body(says: Any) -> None:
        with scratch_folder(tmp_path) as folder:
            (folder / "any").write_text("any")
            says.send(folder)
            says.recv()

    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=body, args=(theirs,))
    process.start()
    left = ours.recv()
    with scratch_folder(tmp_path):
        assert (left / "any").exists()  # its process lives
    os.kill(int(process.pid or 0), signal.SIGKILL)
    process.join()
    scratch._remove_abandoned.cache_clear()
    with scratch_folder(tmp_path):
        assert not left.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"s2s_lit-file", "other"}


def test_a_folder_that_was_removed_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def raced(handle: int, operation: int) -> None:
        (folder,) = tmp_path.iterdir()
        made.append(folder)
        if len(made) == 1:
            folder.rmdir()

    monkeypatch.setattr("fcntl.flock", raced)
    with scratch_folder(tmp_path) as folder:
        assert folder == made[1]
        assert folder.is_dir()


def test_there_is_no_other_way_to_a_temporary_folder() -> None:
    inside = re.compile(r"TemporaryDirectory|mkdtemp|mkstemp|NamedTemporaryFile\((?!.*dir=)")
    found = {file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py") if inside.search(file.read_text())}
    assert found == {"scratch.py"}
