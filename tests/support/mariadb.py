"""A MariaDB server of the tests' own, which stands for MySQL: Debian's `mariadb-server`, a free port, an empty folder.

A test takes it by importing the fixtures into its conftest: `from support.mariadb import mariadb, mariadb_server`.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.postgres import free_port, unprivileged
from support.services import missing

_READY_S = 60.0


@contextmanager
def serving() -> Iterator[int]:
    """The port of a server on 127.0.0.1 that lives as long as the body; user `root` needs no password."""
    server = shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin")
    if server is None:
        missing("needs a MariaDB server: apt-get install mariadb-server")
    place = Path(tempfile.mkdtemp(prefix="s2s-mariadb-"))
    user = unprivileged("mysql")
    if user is not None:
        shutil.chown(place, user)
    data, port = place / "data", free_port()
    install = ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run([*install, f"--datadir={data}"], user=user, check=True, stdout=subprocess.DEVNULL)
    settings = {"datadir": data, "socket": place / "socket", "pid-file": place / "pid", "port": port}
    settings |= {"bind-address": "127.0.0.1", "innodb-flush-log-at-trx-commit": 0, "innodb-buffer-pool-size": "16M"}
    options = [f"--{key}={value}" for key, value in settings.items()]
    process = subprocess.Popen([server, "--no-defaults", *options], user=user, cwd=place, stderr=subprocess.DEVNULL)
    try:
        _wait_until_ready(process, port)
        yield port
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(place)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[int]:
    with serving() as port:
        yield port


@pytest.fixture
def mariadb(mariadb_server: int) -> str:
    """The URL of an empty MariaDB database of this test."""
    name = f"test_{uuid.uuid4().hex[:8]}"
    _tell(mariadb_server, f"CREATE DATABASE {name}").check_returncode()
    return f"mysql://root@127.0.0.1:{mariadb_server}/{name}"


def _tell(port: int, statement: str) -> subprocess.CompletedProcess[bytes]:
    client = ["mariadb", "--no-defaults", "--host=127.0.0.1", f"--port={port}", "--user=root"]
    return subprocess.run([*client, f"--execute={statement}"], check=False, capture_output=True)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and process.poll() is None:
        if _tell(port, "SELECT 1").returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError("MariaDB did not come up")
