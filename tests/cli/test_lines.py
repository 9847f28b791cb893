"""Lines as they come."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from s2s_lit.cli import lines
from s2s_lit.cli.lines import blocks_of, written
from s2s_lit.errors import UserError


def test_what_comes_through_a_pipe_waits_for_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(os.fdopen(reading, "rb")))
    blocks = blocks_of(None)
    os.write(writing, b"one\ntwo\nth")
    assert next(blocks) == ["one", "two"]
    os.write(writing, b"ree\n")
    assert next(blocks) == ["three"]
    os.write(writing, b"four")
    os.close(writing)
    assert list(blocks) == [["four"]]


@pytest.mark.parametrize("at_once", [1, 2, 3, 1000])
def test_a_files_lines_are_those_between_line_feeds(
    at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "_AT_ONCE", at_once)
    file = tmp_path / "in.txt"
    for content, expected in (
        ("\ufeffa\r\n\nä\u2028b\n", ["a", "", "ä\u2028b"]),
        ("no end", ["no end"]),
        ("", []),
        ("\n", [""]),
    ):
        file.write_bytes(content.encode())
        assert [line for block in blocks_of(file) for line in block] == expected


def test_a_line_that_is_no_text_is_named_after_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_AT_ONCE", 4)
    file = tmp_path / "in.txt"
    file.write_bytes(b"one\ntwo\n\xff\n")
    blocks: Iterator[list[str]] = blocks_of(file)
    assert [next(blocks), next(blocks)] == [["one"], ["two"]]
    with pytest.raises(UserError, match=rf"^line 3 of {file} is not UTF-8"):
        next(blocks)


def test_a_file_that_is_read_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_text("kept")
    with pytest.raises(UserError, match="give --out another name"), written(file, None, tmp_path / "." / "in.txt"):
        pass
    assert file.read_text() == "kept"
