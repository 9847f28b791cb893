"""Files behind http: the bytes that the server has, however often the connection drops."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from s2s_lit.data.sources import opening
from s2s_lit.data.sources.files import FileCorpus, ParallelText
from s2s_lit.data.sources.remote import RemoteFile
from s2s_lit.errors import UserError
from support.corpora import FORMATS, ROWS, as_files, packed
from support.servers import FileServer, serving

CONTENT = random.Random(0).randbytes(300_000)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    (tmp_path / "file").write_bytes(CONTENT)
    monkeypatch.setattr(opening, "RemoteFile", partial(RemoteFile, wait_s=0.001))
    with serving(tmp_path) as server:
        yield server


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("ranges", [True, False])
def test_bytes_are_those_of_the_file(server: FileServer, ranges: bool, sized: bool) -> None:
    server.ranges, server.sized = ranges, sized
    assert io.BufferedReader(RemoteFile(server.url("file"))).read() == CONTENT


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_can_be_sought(server: FileServer, ranges: bool) -> None:
    server.ranges = ranges
    file = RemoteFile(server.url("file"))
    for place in (299_990, 5, 5, 100_000):
        assert file.seek(place) == place
        assert io.BufferedReader(file).read(10) == CONTENT[place : place + 10]
        file = RemoteFile(server.url("file"))
    assert file.seek(-4, io.SEEK_END) == 299_996
    assert file.read() == CONTENT[-4:]
    assert file.read(1) == b""


@pytest.mark.parametrize("ranges", [True, False])
def test_a_connection_that_drops_is_taken_up_where_it_broke(server: FileServer, ranges: bool) -> None:
    server.ranges = ranges
    server.drop_after = 70_000 if ranges else 299_000
    file = RemoteFile(server.url("file"), wait_s=0.001)
    if not ranges:  # without ranges each attempt starts again, so the next one has to come through
        begin = file.read(250_000)
        server.drop_after = None
        assert begin + io.BufferedReader(file).read() == CONTENT
        return
    assert io.BufferedReader(file).read() == CONTENT
    starts = [asked for _, asked in server.requests if asked]
    assert len(starts) == 300_000 // 70_000
    assert starts[0] == "bytes=70000-"


def test_a_size_that_is_told_later_does_not_make_it_another_file(server: FileServer) -> None:
    server.sized, server.chunked, server.drop_after = False, True, 70_000  # "bytes 70000-299999/300000" is the second
    assert io.BufferedReader(RemoteFile(server.url("file"), wait_s=0.001), 1 << 20).read() == CONTENT


def test_another_range_than_the_one_asked_for_is_refused(server: FileServer) -> None:
    file = RemoteFile(server.url("file"), retries=1, wait_s=0.001)
    server.astray = -5
    file.seek(10)
    with pytest.raises(UserError, match="another range"):
        file.read()


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("kind", [*FORMATS, "parallel"])
def test_rows_over_dropping_connections_are_those_of_the_files(
    server: FileServer, tmp_path: Path, kind: str, ending: str
) -> None:
    as_files(tmp_path / "corpus", kind, ending, [ROWS])
    size = min(file.stat().st_size for file in (tmp_path / "corpus").iterdir())
    server.drop_after = size // 3 + 1
    if kind == "parallel":
        urls: dict[str, str | list[str]] = {c: server.url(f"corpus/0.{c}{ending}") for c in ("en", "de")}
        rows = ParallelText(files={"train": urls}).rows("train", streaming=True)
    else:
        url = server.url(f"corpus/0.{kind}{ending}?version=2")
        rows = FileCorpus(files={"train": url}).rows("train", streaming=True)
    assert list(rows) == ROWS
    assert len(server.requests) >= 3


def test_parquet_from_a_server_that_tells_no_size(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(FORMATS["parquet"](ROWS))
    server.sized = server.ranges = False
    assert list(FileCorpus(files={"train": server.url("train.parquet")}).rows("train", streaming=True)) == ROWS


def test_errors_that_pass_are_waited_for_and_others_are_told(server: FileServer) -> None:
    server.failures = [503, 503, 429]
    assert RemoteFile(server.url("file"), wait_s=0.001).read() == CONTENT
    server.failures = [503] * 3
    with pytest.raises(UserError, match=r"/file cannot be read: .*503"):
        RemoteFile(server.url("file"), retries=2, wait_s=0.001)
    server.requests.clear()
    with pytest.raises(UserError, match=r"/none cannot be read: .*404"):
        RemoteFile(server.url("none"), wait_s=0.001)
    assert len(server.requests) == 1


def test_a_server_that_stays_away_is_told(server: FileServer) -> None:
    file = RemoteFile(server.url("file"), retries=2, wait_s=0.001)
    server.drop_after = 0
    file.seek(10)
    with pytest.raises(UserError, match="cannot be read: the connection ended before the file did"):
        file.read()


def test_a_file_that_changes_is_refused(server: FileServer, tmp_path: Path) -> None:
    server.drop_after = 1000
    file = RemoteFile(server.url("file"), wait_s=0.001)
    assert file.read(1000) == CONTENT[:1000]
    (tmp_path / "file").write_bytes(CONTENT[::-1])
    with pytest.raises(UserError, match="has changed while it was read"):
        file.read(1000)


def test_a_torn_archive_is_an_error(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl.gz").write_bytes(packed(FORMATS["jsonl"](ROWS), ".gz")[:-20])
    with pytest.raises(UserError, match=r"train\.jsonl\.gz, row .* cannot be read: EOFError"):
        list(FileCorpus(files={"train": server.url("train.jsonl.gz")}).rows("train", streaming=True))
