"""A PostgreSQL server of the tests' own: Debian's package `postgresql`, a free port, a new empty folder.

A test takes it by importing the fixtures into its conftest: `from support.postgres import postgres, postgres_server`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.services import missing

_READY_S = 30.0


@contextmanager
def serving() -> Iterator[int]:
    """The port of a server on 127.0.0.1 that lives as long as the body; user `postgres` needs no password.

    PostgreSQL refuses to run as root, so there it runs as `postgres`.
    """
    programs = _programs()
    place = Path(tempfile.mkdtemp(prefix="s2s-postgres-"))
    user = unprivileged("postgres")
    if user is not None:
        shutil.chown(place, user)
    data, port = place / "data", free_port()
    initdb = [programs / "initdb", "--pgdata", data, "--username=postgres", "--auth=trust", "--no-sync"]
    subprocess.run([*initdb, "--encoding=UTF8"], user=user, cwd=place, check=True, stdout=subprocess.DEVNULL)
    settings = ("fsync=off", "shared_buffers=16MB", f"unix_socket_directories={place}", f"port={port}")
    options = [part for setting in settings for part in ("-c", setting)]
    process = subprocess.Popen(
        [programs / "postgres", "-D", data, "-h", "127.0.0.1", *options],
        user=user,
        cwd=place,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(process, programs, port)
        yield port
    finally:
        process.send_signal(signal.SIGINT)  # "fast": ends its connections
        process.wait(30)
        shutil.rmtree(place)


@contextmanager
def database(port: int) -> Iterator[str]:
    """The URL of a new database on that server, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:8]}"
    command = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    subprocess.run([_programs() / "createdb", *command, name], check=True)
    try:
        yield f"postgresql+psycopg2://postgres@127.0.0.1:{port}/{name}"
    finally:
        subprocess.run([_programs() / "dropdb", *command, "--force", name], check=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[int]:
    with serving() as port:
        yield port


@pytest.fixture
def postgres(postgres_server: int) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test."""
    with database(postgres_server) as url:
        yield url


def _programs() -> Path:
    """Debian keeps the server's programs off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    other = shutil.which("initdb")
    if not found and other is None:
        missing("needs a PostgreSQL server: apt-get install postgresql")
    return (found[-1] if found else Path(str(other)).resolve()).parent


def unprivileged(user: str) -> str | None:
    """Whom root should start a server as: its own user (Debian's packages add one), else `nobody`."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return user if user in names else "nobody"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], programs: Path, port: int) -> None:
    deadline = time.monotonic() + _READY_S
    ask = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    while time.monotonic() < deadline and process.poll() is None:
        if subprocess.run(ask, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not come up")
