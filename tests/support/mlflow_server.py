"""An `mlflow server` as README describes one for a team, and a bad line to it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from s2s_lit.tracking.client.ui import free_port

_READY_S = 120.0


class MlflowServer:
    """A server in two processes; `kill` and `start` as often as one likes, on the same port."""

    def __init__(self, store: str, artifacts: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store, "--workers", "1"]
        self._command += ["--artifacts-destination", str(artifacts), "--host", "127.0.0.1", "--port", str(self.port)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; `wait` tells when it answers."""
        lean = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
        self._process = subprocess.Popen(self._command, env={**os.environ, **lean}, **quiet)  # type: ignore[call-overload]

    def wait(self) -> None:
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=2):
                return
            time.sleep(0.2)
        raise RuntimeError("the MLflow server did not come up")

    def kill(self) -> None:
        """SIGKILL to all of its processes."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def mlflow_server(store: str, artifacts: Path) -> Iterator[MlflowServer]:
    server = MlflowServer(store, artifacts)
    try:
        server.start()
        server.wait()
        yield server
    finally:
        server.kill()


class Proxy:
    """A TCP proxy on a port of its own.

    Attributes:
        bad: the probability that a connection is cut within a token of what it carries, in either direction.
        delay_s: the longest time that a token waits before it is passed on.
        cuts: how many connections have been cut.
    """

    def __init__(self, port: int, seed: int = 0) -> None:
        self.bad, self.delay_s, self.cuts = 0.0, 0.0, 0
        self._target, self._draw = port, random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._target))
                except OSError:  # the server is down
                    near.close()
                    continue
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                time.sleep(self._draw.random() * self.delay_s)
                if self._draw.random() < self.bad:
                    self.cuts += 1
                    target.sendall(data[: self._draw.randrange(len(data))])
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    line = Proxy(port)
    try:
        yield line
    finally:
        line.close()
