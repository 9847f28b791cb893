"""A tracking server that answers otherwise than MLflow's is told of in one sentence, within a limit of time."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import mlflow
import pytest

from s2s_lit.errors import UserError
from s2s_lit.tracking.client import server_answers
from s2s_lit.tracking.client.connection import connect
from s2s_lit.tracking.client.failures import without_password
from s2s_lit.tracking.client.runs import list_runs


class Odd(BaseHTTPRequestHandler):
    """Answers each request in one way, which its server's `manner` names."""

    def do_POST(self) -> None:
        with contextlib.suppress(OSError):  # the client goes away
            getattr(self, self.server.manner)()  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        self.do_POST()

    def head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def password(self) -> None:
        self.head(401, WWW_Authenticate='Basic realm="mlflow"', Content_Length="0")

    def other_protocol(self) -> None:
        self.head(301, Location="https://127.0.0.1:1/api", Content_Length="0")

    def no_protocol_of_the_web(self) -> None:
        self.head(307, Location="file:///etc/passwd", Content_Length="0")

    def endless(self) -> None:
        self.head(200)
        while True:
            self.wfile.write(b" " * 65536)

    def dripping(self) -> None:
        self.head(200, Content_Length="1000000")
        while True:
            self.wfile.write(b" ")
            time.sleep(0.05)

    def hanging(self) -> None:
        self.head(200, Content_Length="1000000")
        time.sleep(30)

    def silent(self) -> None:
        time.sleep(30)

    def page(self) -> None:
        self.head(200, Content_Length="14", Content_Type="text/html")
        self.wfile.write(b"<html> </html>")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setattr(server_answers, "LONGEST_S", 1.0)
    monkeypatch.setattr(server_answers, "LARGEST", 1_000_000)
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("manner", "sentence"),
    [
        ("password", "asks for a user name and a password: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
        ("other_protocol", "sends its visitors to https://127.0.0.1:1: if that is yours, set MLFLOW_TRACKING_URI"),
        ("no_protocol_of_the_web", "sends its visitors to file://"),
        ("endless", "does not come to the end of an answer"),
        ("dripping", "does not come to the end of an answer"),
        ("hanging", "does not answer"),
        ("silent", "does not answer"),
        ("page", "does not answer .*not in a valid JSON format"),
    ],
)
def test_one_sentence_within_a_limit(manner: str, sentence: str, server: ThreadingHTTPServer) -> None:
    server.manner = manner  # type: ignore[attr-defined]
    address = f"http://127.0.0.1:{server.server_port}"
    begun = time.monotonic()
    with pytest.raises(UserError) as error:
        list_runs()
    assert re.match(rf"The tracking store {address} {sentence}", str(error.value))
    assert "\n" not in str(error.value)
    assert time.monotonic() - begun < 10


def test_no_message_has_a_password() -> None:
    assert without_password("at postgresql://me:secret@host/db") == "at postgresql://…@host/db"
    assert without_password("sqlite:////home/me/a@b.db") == "sqlite:////home/me/a@b.db"


def test_the_function_that_is_replaced_was_looked_up_in_this_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version may make its sessions otherwise: look there, then change this line."""
    assert re.match(r"3\.17\.", mlflow.__version__)
    from mlflow.utils import request_utils

    connect("http://127.0.0.1:9")
    session = request_utils._get_request_session(1, 0, 0.0, (500,), True, True)
    assert session.hooks["response"] == [server_answers._check]
