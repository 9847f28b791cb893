"""A web server on this machine that lives as long as a test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class FileServer(ThreadingHTTPServer):
    """Serves the files of a folder, dropping each connection after so many bytes of the file.

    Attributes:
        drop_after: bytes of an answer; None gives it whole.
        ranges: whether `Range` is honoured.
        astray: bytes by which a range begins elsewhere than it was asked for.
        sized: whether the length is told.
        chunked: whether an answer without a length tells where it ends.
        failures: status codes that the next answers have instead.
        requests: the paths and ranges that were asked for.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.drop_after: int | None = None
        self.ranges = True
        self.astray = 0
        self.sized = True
        self.chunked = False
        self.failures: list[int] = []
        self.requests: list[tuple[str, str | None]] = []

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.requests.append((self.path, asked))
        file = self.server.folder / self.path.partition("?")[0].lstrip("/")
        if self.server.failures or not file.is_file():
            self.send_error(self.server.failures.pop() if self.server.failures else 404)
            return
        content = file.read_bytes()
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        start += self.server.astray
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        rest, end = content[start:], b""
        if self.server.sized:
            self.send_header("Content-Length", str(len(rest)))
        elif self.server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            rest, end = b"%x\r\n%b" % (len(rest), rest), b"\r\n0\r\n\r\n"
        self.send_header("ETag", str(hash(content)))
        self.end_headers()
        self.wfile.write((rest + end)[: self.server.drop_after])

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[FileServer]:
    with FileServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)
