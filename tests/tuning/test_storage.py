"""Where studies lie: many writers at once, no network disks, messages with a remedy."""

from __future__ import annotations

import socket
import sqlite3
import sys
import threading
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import optuna
import psutil
import pytest

from s2s_lit.errors import UserError
from s2s_lit.tuning.study import storage
from s2s_lit.tuning.study.storage import answering, network_disk, open_storage, storage_file, without_password

Disk = namedtuple("Disk", "mountpoint fstype")


def test_writers_beside_one_another_are_not_locked_out(tmp_path: Path) -> None:
    """Each reads, then writes, in one transaction: the order in which SQLite's write-ahead log refuses the second."""
    url = f"sqlite:///{tmp_path}/sweeps.db"
    optuna.create_study(study_name="s", storage=open_storage(url))
    errors: list[Exception] = []

    def write() -> None:
        try:
            study = optuna.load_study(study_name="s", storage=open_storage(url))
            for _ in range(4):
                trial = study.ask()
                trial.suggest_float("x", 0, 1)
                trial.report(0.5, 1)
                study.tell(trial, 1.0)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    trials = optuna.load_study(study_name="s", storage=open_storage(url)).trials
    assert sorted(trial.number for trial in trials) == list(range(16))


@pytest.mark.parametrize("kind", ["nfs4", "fuse", "fuse.sshfs", "fuse.of-somebody", "wekafs"])
def test_a_network_disk_is_refused_with_the_remedy(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disks = [Disk("/", "ext4"), Disk(str(tmp_path), kind)]
    disks += [Disk(str(tmp_path / "own"), "fuse.ntfs-3g"), Disk(str(tmp_path / "stick"), "fuseblk")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: disks)
    with pytest.raises(UserError, match=rf"network disk \({kind}\).*postgresql://"):
        open_storage(f"sqlite:///{tmp_path}/sweeps.db")
    assert network_disk(tmp_path / "deeper" / "sweeps.db") == kind
    assert network_disk(tmp_path / "own" / "sweeps.db") == network_disk(tmp_path / "stick" / "sweeps.db") == ""
    assert network_disk(Path("/elsewhere/sweeps.db")) == ""


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://x", "is not the address of a storage: give postgresql://"),
        ("sqlite://", "must be a file"),
        ("sqlite:////no/such/folder/x.db", "there is no folder /no/such/folder"),
        ("journal:////no/such/folder/x.log", "in a folder that exists"),
        ("grpc://host", "grpc://192.168.0.2:13000"),
        ("postgresql://me:secret@127.0.0.1:1/x", "does not answer"),
    ],
)
def test_what_is_no_storage_is_said(url: str, said: str) -> None:
    with pytest.raises(UserError) as error:
        open_storage(url)
    assert said in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "module", "package"),
    [("mysql://me@127.0.0.1:1/x", "pymysql", "pymysql"), ("postgres://127.0.0.1:1/x", "psycopg2", "psycopg2-binary")],
)
def test_a_missing_driver_is_named(url: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=f"needs a driver: .venv/bin/pip install '{package}'"):
        open_storage(url)


@pytest.mark.parametrize(("kind", "reason"), [("postgresql", "no answer for 0 s"), ("mysql", "timed out")])
def test_a_server_that_accepts_and_never_answers_is_away(
    kind: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_PATIENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(UserError, match=f"does not answer.*{reason}"):
        open_storage(f"{kind}://me@127.0.0.1:{deaf.getsockname()[1]}/x")


def test_files_and_passwords() -> None:
    assert storage_file("sqlite:///sweeps.db") == Path("sweeps.db")
    assert storage_file("journal:////tmp/a.log") == Path("/tmp/a.log")
    assert storage_file("postgresql://h/x") is None
    assert without_password("mysql://me:secret@h/x") == "mysql://me:***@h/x"


def test_a_journal_is_read_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = optuna.create_study(study_name="s", storage=open_storage("journal:///sweeps.log"))
    study.tell(study.ask(), 1.0)
    assert (tmp_path / "sweeps.log").is_file()
    with (tmp_path / "sweeps.log").open("a") as journal:
        journal.write('{"cut off\n{}\n')
    with pytest.raises(UserError, match=r'make sweep-doctor STORAGE=journal:///sweeps.log ARGS="--mend" takes it out'):
        open_storage("journal:///sweeps.log")


def test_a_proxy_that_is_away_is_said_as_any_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    class RpcError(Exception):
        def details(self) -> str:
            return "connection refused\nand more"

    monkeypatch.setitem(sys.modules, "grpc", SimpleNamespace(RpcError=RpcError))  # type: ignore[arg-type]
    with pytest.raises(UserError) as error, answering("grpc://h:1"):
        raise RpcError
    assert "STORAGE=grpc://h:1 does not answer (connection refused): start it" in str(error.value)


@pytest.mark.parametrize(
    ("table", "remedy"),
    [
        ("v2.6.0.a", r"\.venv/bin/optuna storage upgrade --storage sqlite:///old\.db$"),
        ("v9.9.9.z", r"\.venv/bin/pip install --upgrade optuna$"),
    ],
)
def test_tables_of_another_version_are_one_sentence_with_the_remedy(
    table: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    optuna.create_study(study_name="old", storage=open_storage("sqlite:///old.db"))
    with sqlite3.connect("old.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (table,))
    connection.close()
    with pytest.raises(UserError, match=remedy):
        open_storage("sqlite:///old.db")
