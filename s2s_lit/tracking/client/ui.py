"""MLflow's UI over the runs of this store, on this machine, in two processes instead of fifteen."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

from s2s_lit.errors import Terminated, UserError
from s2s_lit.signals import raised_sigterm
from s2s_lit.tracking.client.connection import connect, database_file, tracking_uri
from s2s_lit.tracking.client.runs_table import runs_table

_READY_S = 90.0


def ui(port: int = 5000, host: str = "127.0.0.1") -> None:
    """Serves the UI until Ctrl-C or SIGTERM and leaves no process behind; of a server's store, says the address only.

    Raises:
        UserError: when the port is taken or the server does not come up.
    """
    uri = tracking_uri()
    if uri.startswith("http"):
        print(f"The runs are on a server that has its own UI: {uri}", flush=True)
        return
    with raised_sigterm(), contextlib.suppress(KeyboardInterrupt, Terminated), serving(uri, host, port) as process:
        print(f"The runs: http://{host}:{port}/{runs_table(connect(uri))}  (Ctrl-C ends it)", flush=True)
        process.wait()


@contextlib.contextmanager
def serving(uri: str, host: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """MLflow's server over a store, ready when the body begins and gone with all it started when it ends.

    Raises:
        UserError: when the port is taken or the server does not come up.
    """
    _refuse_taken(host, port)
    connect(uri)  # creates a new store quietly, before the server would do it loudly
    process = subprocess.Popen(_command(uri, host, port), env=_environment(), start_new_session=True)
    try:
        _wait_until_ready(process, f"http://{host}:{port}")
        yield process
    finally:
        _end(process)


def _command(uri: str, host: str, port: int) -> list[str]:
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--registry-store-uri", uri]
    command += ["--workers", "1", "--host", host, "--port", str(port), "--uvicorn-opts", "--log-level warning"]
    file = database_file(uri)
    return command if file is None else [*command, "--artifacts-destination", (file.parent / "mlartifacts").as_uri()]


def _environment() -> dict[str, str]:
    """Without job workers (13 processes fewer), telemetry and what a user of the page need not read."""
    ours = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return {**os.environ, **ours, "MLFLOW_LOGGING_LEVEL": "WARNING", "PYTHONWARNINGS": "ignore"}


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            remedy = "give another one: make ui PORT=5001"
            raise UserError(f"{host}:{port} cannot be used ({error.strerror}); {remedy}") from error


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=2):
            return
        time.sleep(0.2)
    raise UserError(f"MLflow's server did not come up at {url}; its own words stand above.")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the server and all it started: they are one process group."""
    for number, patience_s in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
    process.wait()
