"""Where a study lies: an SQLite file of this machine by default, a database server for several machines.

The default is SQLite with a write-ahead log: what a killed process had not committed is as if it had never been, and
its locks end with it. A journal file is quicker (by three, in a trial of eight reports), but cannot be read any more
once a line in it was cut off by a kill, and a lock that was left behind holds everyone up for half a minute; it is used
where it is asked for. In write-ahead mode a transaction that has read cannot become one that writes once another has
written ("database is locked", at once and whatever the timeout: 40 of 60 trials of four processes failed so), hence
each transaction begins as one that writes (none did).
"""

from __future__ import annotations

import contextlib
import json
import logging
import select
import sqlite3
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import psutil
from optuna.exceptions import StorageInternalError
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from s2s_lit.errors import UserError

NETWORK_DISKS = frozenset(
    "nfs nfs4 cifs smb smb3 smbfs lustre gpfs beegfs ceph glusterfs wekafs panfs pvfs2 orangefs afs 9p".split()
)
LOCAL_FUSE = frozenset(
    f"fuse.{kind}" for kind in "bindfs encfs exfat fuse-overlayfs gocryptfs lxcfs mergerfs ntfs-3g shfs zfs".split()
)
"""What programs in user space keep on disks of this machine; most others are clients of a server."""
DRIVERS = {"postgresql": "psycopg2", "mysql": "pymysql"}
_PATIENCE_S = 60.0


def open_storage(url: str) -> optuna.storages.BaseStorage:
    """The storage at an address: `sqlite:///FILE`, `postgresql://...`, `mysql://...`, `journal:///FILE` or `grpc://HOST:PORT`.

    Raises:
        UserError: It is no address, lies on a network disk, needs a driver that is not installed, does not answer, or
            was made by another version of Optuna.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    kind = url.partition(":")[0].partition("+")[0]
    if kind == "journal":
        return _journal(storage_file(url), url)
    if kind == "grpc":
        return _grpc(url)
    if kind not in ("sqlite", "postgresql", "postgres", "mysql"):
        raise UserError(
            f"STORAGE={url} is not the address of a storage: give postgresql://USER:PASSWORD@HOST/NAME, mysql://..., "
            "sqlite:///FILE.db, journal:///FILE.log or grpc://HOST:PORT, or leave it out for ./sweeps.db"
        )
    try:
        return _sqlite(url) if kind == "sqlite" else _server(url, "postgresql" if kind == "postgres" else kind)
    except (SQLAlchemyError, ArgumentError, OSError, sqlite3.Error) as error:
        reason = str(error).strip().splitlines()[0][:300]
        raise UserError(
            f"STORAGE={without_password(url)} does not answer ({reason}): start it, or give another"
        ) from error
    except RuntimeError as error:  # what Optuna says of tables that another version has made
        shown = without_password(url)
        older = "storage upgrade" in str(error)
        remedy = f"optuna storage upgrade --storage {shown}" if older else "pip install --upgrade optuna"
        raise UserError(
            f"STORAGE={shown} was made by another version of Optuna than {optuna.__version__}: .venv/bin/{remedy}"
        ) from error


def storage_file(url: str) -> Path | None:
    """The file of a storage that is one."""
    kind, _, path = url.partition(":///")
    return Path(path) if kind in ("sqlite", "journal") and path else None


def outages() -> tuple[type[Exception], ...]:
    """What a storage that does not answer raises."""
    grpc = sys.modules.get("grpc")  # there only if its proxy is used
    return (StorageInternalError, TimeoutError, *([] if grpc is None else [grpc.RpcError]))


def reason(error: Exception) -> str:
    """Why a storage does not answer, in a line."""
    details = getattr(error, "details", None)  # of gRPC
    text = str(details() if callable(details) else error.__cause__ or error).strip()
    return (text or type(error).__name__).splitlines()[0][:200]


@contextlib.contextmanager
def answering(url: str) -> Iterator[None]:
    """Turns what a storage raises that is away, or a journal that cannot be read, into a sentence for the user."""
    try:
        yield
    except outages() as error:
        raise UserError(
            f"STORAGE={without_password(url)} does not answer ({reason(error)}): start it, then give the same command "
            "again"
        ) from error
    except ValueError as error:
        if url.startswith("journal") and (isinstance(error, json.JSONDecodeError) or "log format" in str(error)):
            raise UserError(
                f"STORAGE={url} has a line that was cut off, so what follows it cannot be read: "
                f'make sweep-doctor STORAGE={url} ARGS="--mend" takes it out'
            ) from error
        raise


def without_password(url: str) -> str:
    """The address as it may be shown."""
    if storage_file(url) is not None or url.startswith("grpc"):
        return url
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url


def network_disk(file: Path) -> str:
    """The kind of network disk that a file is on; empty if its disk is of this machine."""
    place = file.absolute().resolve()
    mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    kind = next((mounts[folder] for folder in place.parents if folder in mounts), "")
    fuse = kind.partition(".")[0] == "fuse" and kind not in LOCAL_FUSE  # fuseblk is a disk
    return kind if fuse or kind in NETWORK_DISKS else ""


def _sqlite(url: str) -> optuna.storages.BaseStorage:
    file = storage_file(url)
    if file is None:
        raise UserError(f"STORAGE={url}: the trials are processes of their own, so the study must be a file")
    if kind := network_disk(file):
        raise UserError(
            f"STORAGE={url} is on a network disk ({kind}), where SQLite's locks do not hold: use a file on a disk of "
            "this machine (STORAGE=sqlite:////tmp/sweeps.db), or a database server (STORAGE=postgresql://...)"
        )
    if not file.parent.is_dir():
        raise UserError(f"STORAGE={url}: there is no folder {file.parent}")
    with sqlite3.connect(file, timeout=_PATIENCE_S) as connection:
        connection.execute("PRAGMA journal_mode=WAL")  # kept in the file
    connection.close()
    storage = optuna.storages.RDBStorage(url, engine_kwargs={"connect_args": {"timeout": _PATIENCE_S}})
    storage.engine.dispose()  # what it opened so far has not heard of the following

    @event.listens_for(storage.engine, "connect")
    def configure(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the module begins no transaction by itself
        connection.execute("PRAGMA synchronous=NORMAL")  # with a write-ahead log that loses nothing by a killed process

    @event.listens_for(storage.engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return storage


def _server(url: str, kind: str) -> optuna.storages.BaseStorage:
    address = make_url(url)
    driver = DRIVERS[kind]
    if "+" not in address.drivername:
        address = address.set(drivername=f"{kind}+{driver}")
    settings = {"read_timeout": _PATIENCE_S} if address.get_driver_name() == "pymysql" else {}
    try:
        if address.get_driver_name() == "psycopg2":  # which has no such setting
            _wait_in_python()
        return optuna.storages.RDBStorage(
            address.render_as_string(hide_password=False),
            engine_kwargs={"pool_pre_ping": True, "connect_args": settings},
        )
    except ImportError as error:
        package = "psycopg2-binary" if kind == "postgresql" else driver
        raise UserError(f"STORAGE={without_password(url)} needs a driver: .venv/bin/pip install '{package}'") from error


def _wait_in_python() -> None:
    """libpq waits for a server in C, where no signal is heard and no time is too long."""
    from psycopg2 import OperationalError
    from psycopg2.extensions import POLL_OK, POLL_READ, set_wait_callback

    def wait(connection: Any) -> None:
        while (state := connection.poll()) != POLL_OK:
            answer = select.poll()
            answer.register(connection.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
            if not answer.poll(1000 * _PATIENCE_S):
                raise OperationalError(f"no answer for {_PATIENCE_S:.0f} s")

    set_wait_callback(wait)


def _journal(file: Path | None, url: str) -> optuna.storages.BaseStorage:
    from optuna.storages.journal import JournalFileBackend

    if file is None or not file.parent.is_dir():
        raise UserError(f"STORAGE={url}: give journal:///FILE in a folder that exists")
    with answering(url):
        return optuna.storages.JournalStorage(JournalFileBackend(str(file)))


def _grpc(url: str) -> optuna.storages.BaseStorage:
    host, _, port = url.partition("://")[2].partition(":")
    if not host or not port.isdigit():
        raise UserError(f"STORAGE={url}: give the host and port of Optuna's proxy, such as grpc://192.168.0.2:13000")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.storages.GrpcStorageProxy(host=host, port=int(port))
    except ImportError as error:
        raise UserError(f"STORAGE={url} needs a package: .venv/bin/pip install grpcio protobuf") from error
