"""A web server on this machine that lives as long as a test."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote


class FileServer(ThreadingHTTPServer):
    """Serves the files of a folder, dropping each connection after so many bytes of the file.

    Attributes:
        drop_after: bytes of an answer; None gives it whole.
        drops: how many answers are dropped; None is all.
        ranges: whether `Range` is honoured.
        astray: bytes by which a range begins elsewhere than it was asked for.
        sized: whether the length is told.
        chunked: whether an answer without a length tells where it ends.
        failures: status codes that the next answers have instead.
        requests: the paths and ranges that were asked for.
    """

    def __init__(self, folder: Path, handler: type[BaseHTTPRequestHandler] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), handler or _Handler)
        self.folder = folder
        self.drop_after: int | None = None
        self.drops: int | None = None
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
        self.send_file(file.read_bytes(), asked)

    def send_file(self, content: bytes, asked: str | None, **headers: str) -> None:
        start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked and self.server.ranges else 0
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
        for name, value in {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write((rest + end)[: self._bytes_to_send()])

    def _bytes_to_send(self) -> int | None:
        if self.server.drops is not None:
            self.server.drops -= 1
            if self.server.drops < 0:
                return None
        return self.server.drop_after

    def log_message(self, format: str, *args: object) -> None:
        pass


class HubServer(FileServer):
    """Answers as the Hugging Face Hub does about the data sets that lie in a folder, as owner/name/file.

    Attributes:
        gated: data sets whose files need the token `secret`.
        revisions: what can be asked for besides `main`.
    """

    commit = "a" * 40

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _HubHandler)
        self.gated: set[str] = set()
        self.revisions = {"main", self.commit}


class _HubHandler(_Handler):
    server: HubServer

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        if self.command == "GET":
            self.server.requests.append((self.path, asked))
        parts = [unquote(part) for part in self.path.partition("?")[0].strip("/").split("/")]
        if self.server.failures:
            self._refuse(self.server.failures.pop())
        elif parts[:2] == ["api", "datasets"] and parts[4:5] == ["tree"]:
            self._list("/".join(parts[2:4]), "/".join(parts[6:]))
        elif parts[:2] == ["api", "datasets"]:
            self._tell("/".join(parts[2:4]), parts[5] if len(parts) > 5 else "main")
        elif parts[0] == "datasets":
            self._give("/".join(parts[1:3]), parts[4], "/".join(parts[5:]))
        else:
            self._refuse(404)

    def do_POST(self) -> None:
        """Tells about the paths that are asked for."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["paths"]
        parts = [unquote(part) for part in self.path.strip("/").split("/")]
        folder = self.server.folder / "/".join(parts[2:4])
        self._say([_about(folder / path, folder) for path in asked if (folder / path).exists()])

    def _list(self, name: str, within: str) -> None:
        """The files and folders of one, and below it where that is asked for."""
        folder = self.server.folder / name
        if not (folder / within).is_dir():
            return self._refuse(404, "EntryNotFound")
        pattern = "**/*" if "recursive=true" in self.path.lower() else "*"
        return self._say([_about(path, folder) for path in sorted((folder / within).glob(pattern))])

    def _say(self, told: object) -> None:
        self.send_file(json.dumps(told).encode(), None)

    def _tell(self, name: str, revision: str) -> None:
        folder = self.server.folder / name
        if not folder.is_dir():
            return self._refuse(404, "RepoNotFound")
        if revision not in self.server.revisions:
            return self._refuse(404, "RevisionNotFound")
        files = [{"rfilename": str(file.relative_to(folder))} for file in folder.rglob("*") if file.is_file()]
        gated = "manual" if name in self.server.gated else False
        told = {"id": name, "sha": self.server.commit, "siblings": files, "gated": gated}
        return self._say(told)

    def _give(self, name: str, revision: str, path: str) -> None:
        file = self.server.folder / name / path
        if name in self.server.gated and self.headers.get("Authorization") != "Bearer secret":
            return self._refuse(401, "GatedRepo")
        if revision not in self.server.revisions or not file.is_file():
            return self._refuse(404, "EntryNotFound")
        return self.send_file(file.read_bytes(), self.headers.get("Range"), **{"X-Repo-Commit": self.server.commit})

    def _refuse(self, status: int, code: str = "") -> None:
        self.send_response(status)
        for name, value in {"X-Error-Code": code, "X-Repo-Commit": self.server.commit, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()


def _about(path: Path, folder: Path) -> dict[str, object]:
    about: dict[str, object] = {"path": path.relative_to(folder).as_posix(), "type": "directory", "oid": "b" * 40}
    if path.is_file():
        about |= {"type": "file", "oid": hashlib.sha1(path.read_bytes()).hexdigest(), "size": path.stat().st_size}
    return about


Server = TypeVar("Server", bound=FileServer)


@contextmanager
def serving(folder: Path, kind: Callable[[Path], Server] = FileServer) -> Iterator[Server]:  # type: ignore[assignment]
    with kind(folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)
