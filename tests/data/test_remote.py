"""Files behind http: the bytes that the server has, however often the connection drops."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from s2s_lit.data.sources import opening, remote
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


class Odd(BaseHTTPRequestHandler):
    """A server that does not behave."""

    def do_GET(self) -> None:
        getattr(self, self.path.strip("/").partition(".")[0])()

    def send_on(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.end_headers()

    def to_file(self) -> None:
        self.send_on("file:///etc/passwd")

    def to_ftp(self) -> None:
        self.send_on("ftp://127.0.0.1/train.tsv")

    def round_and_round(self) -> None:
        self.send_on(self.path)

    def password(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="data"')
        self.end_headers()

    def endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(b"a\tb\n" * 10_000)

    def hanging(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"en\tde\n")
        self.server.let_go.wait(10)  # type: ignore[attr-defined]

    def trickling(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        with suppress(OSError):
            while not self.server.let_go.wait(0.02):  # type: ignore[attr-defined]
                self.wfile.write(b"a\tb\n")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[FileServer]:
    server = FileServer(tmp_path, Odd)
    server.let_go = threading.Event()  # type: ignore[attr-defined]
    with serving(tmp_path, lambda _: server) as server:
        yield server
        server.let_go.set()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("to_file", "Redirection to url 'file:///etc/passwd' is not allowed"),
        ("to_ftp", "sends its readers on to ftp://127.0.0.1/train.tsv, by another protocol"),
        ("round_and_round", "cannot be read: .*infinite loop"),
        ("password", r"its server wants a password \(HTTP 401\); download the file"),
        ("endless", "sends more than 1 MB and does not tell its size: download it"),
        ("hanging", "cannot be read: timed out"),
        ("trickling", "hangs: .* bytes came in"),
    ],
)
def test_a_server_that_does_not_behave_is_one_sentence(
    odd: FileServer, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setattr(remote, "_UNSIZED", 1 << 20)
    monkeypatch.setattr(remote, "_PATIENCE_S", 0.4)
    monkeypatch.setattr(remote, "_TIMEOUT_S", 0.2)
    with pytest.raises(UserError, match=said) as caught:
        list(FileCorpus(files={"train": odd.url(f"{name}.tsv")}).rows("train", streaming=True))
    assert "\n" not in str(caught.value)


def test_a_password_does_not_get_into_the_records() -> None:
    with pytest.raises(UserError, match=r"The address of host\.org holds a password") as caught:
        FileCorpus(files={"train": "https://me:secret@host.org/train.tsv"}).rows("train", streaming=True)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:no/x.tsv", "http://", "http://[::1/x.tsv"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(UserError, match="is no address"):
        list(FileCorpus(files={"train": url + "#.tsv"}).rows("train", streaming=True))


def test_names_with_letters_of_all_kinds_are_asked_for(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "ä%20ö.tsv").write_text("en\tde\na\tb\n")
    rows = FileCorpus(files={"train": server.url("ä%20ö.tsv")}).rows("train", streaming=True)
    with pytest.raises(UserError, match="404"):  # this server takes addresses as they stand
        list(rows)
    assert server.requests[-1][0] == "/%C3%A4%20%C3%B6.tsv"
