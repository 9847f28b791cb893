from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from s2s_lit.tracking.records import provenance


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for command in ("init -q", "config user.email a@b.c", "config user.name n"):
        subprocess.run(["git", "-C", str(tmp_path), *command.split()], check=True)
    return tmp_path


def commit(repository: Path) -> str:
    (repository / "model.py").write_text("width = 1\n")
    for command in ("add model.py", "commit -q -m first"):
        subprocess.run(["git", "-C", str(repository), *command.split()], check=True)
    head = subprocess.run(["git", "-C", str(repository), "rev-parse", "HEAD"], check=True, capture_output=True)
    return head.stdout.decode().strip()


def test_a_clean_commit(repository: Path) -> None:
    head = commit(repository)
    assert provenance.git_state(repository) == {"commit": head, "dirty": "false"}
    assert provenance.git_diff(repository) == ""


def test_changed_and_untracked_files_are_told(repository: Path) -> None:
    head = commit(repository)
    (repository / "model.py").write_text("width = 2\n")
    (repository / "new.py").write_text("")
    assert provenance.git_state(repository) == {"commit": head, "dirty": "true"}
    diff = provenance.git_diff(repository)
    assert diff.startswith("# untracked: new.py\n")
    assert "-width = 1\n+width = 2\n" in diff
    (repository / "model.py").write_text("x" * 2_000_000)
    assert len(provenance.git_diff(repository)) < 1_001_000


def test_a_new_attention_in_a_new_file_comes_back_from_the_commit_and_the_diff(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    head = commit(repository)
    (repository / "model.py").write_text("width = 2\n")
    for name, text in {"nn/größer.py": "class A:\n    pass", "a b.yaml": "a: 1\n", "empty.py": ""}.items():
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text(text)
    (repository / "key.pem").write_text("secret")
    (repository / "huge.py").write_text("#" * 2_000_000)
    diff = provenance.git_diff(repository / "nn")  # wherever in it the program is started
    assert "# untracked: key.pem\n" in diff
    assert "secret" not in diff
    assert len(diff) < 10_000
    again = tmp_path_factory.mktemp("again")
    for words in (["clone", "-q", str(repository), "."], ["checkout", "-q", head], ["apply", "-"]):
        subprocess.run(["git", "-C", str(again), *words], input=diff, text=True, check=True)
    for name in ("model.py", "nn/größer.py", "a b.yaml", "empty.py"):
        assert (again / name).read_bytes() == (repository / name).read_bytes()


def test_a_diff_can_be_applied_whatever_git_is_configured_to_show(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (repository / "dos.py").write_bytes(b"a = 1\r\nb = 2\r\n")
    (repository / "picture.png").write_bytes(bytes(range(256)))
    subprocess.run(["git", "-C", str(repository), "add", "."], check=True)
    head = commit(repository)
    settings = {"color.ui": "always", "diff.external": "false", "diff.noprefix": "true", "core.autocrlf": "false"}
    for key, value in settings.items():
        subprocess.run(["git", "-C", str(repository), "config", key, value], check=True)
    (repository / "model.py").write_text("width = 2\n")
    (repository / "dos.py").write_bytes(b"a = 1\r\nb = 3\r\n")
    (repository / "picture.png").write_bytes(bytes(range(255)))
    (repository / "new.py").write_text("new = 1\n")
    diff = provenance.git_diff(repository)
    again = tmp_path_factory.mktemp("again")
    for words in (["clone", "-q", str(repository), "."], ["checkout", "-q", head], ["apply", "-"]):
        subprocess.run(["git", "-C", str(again), *words], input=diff.encode(), check=True)
    for name in ("model.py", "dos.py", "picture.png", "new.py"):
        assert (again / name).read_bytes() == (repository / name).read_bytes()


def test_neither_a_repository_nor_a_commit_nor_git_is_needed(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provenance.git_state(repository) == {}  # no commit yet
    bare = tmp_path_factory.mktemp("elsewhere")
    assert provenance.git_state(bare) == {}
    commit(repository)
    monkeypatch.setenv("PATH", str(bare))
    assert provenance.git_state(repository) == {}
    assert provenance.git_diff(repository) == ""
    assert "s2s.git.dirty" not in provenance.provenance_tags(repository)


@pytest.mark.parametrize("threads", ["", "3"])
def test_the_command_repeats_the_process(threads: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "show it.py"
    script.write_text("from s2s_lit.tracking.records.provenance import command; print(command())")
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    first = subprocess.run(
        [sys.executable, str(script), "--text", "it's $HOME"], capture_output=True, text=True, check=True
    )
    monkeypatch.delenv("OMP_NUM_THREADS")
    again = subprocess.run(first.stdout, shell=True, capture_output=True, text=True, check=True)
    assert again.stdout == first.stdout
    assert first.stdout.startswith("OMP_NUM_THREADS=") == bool(threads)
    assert "it" in first.stdout


@pytest.mark.parametrize(
    ("launch", "machines", "starts"),
    [
        ("none", "1", "-m torch.distributed.run --standalone --nproc-per-node 2 -m s2s_lit train gru"),
        (
            "job 7",
            "3",
            "-m torch.distributed.run --nnodes 3 --rdzv-backend c10d --rdzv-endpoint HOST:PORT --nproc-per-node 2 "
            "-m s2s_lit train gru",
        ),
        ("s2s", "1", "-m s2s_lit train gru"),
    ],
    ids=["one machine", "several", "by trainer.devices"],
)
def test_the_command_starts_as_many_processes(
    launch: str, machines: str, starts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(sys, "argv", ["__main__.py", "train", "gru"])
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, "-m", "s2s_lit", "train", "gru"])
    for name, value in {"TORCHELASTIC_RUN_ID": launch, "GROUP_WORLD_SIZE": machines, "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    assert provenance.command() == provenance.command(["train", "gru"]) == f"{sys.executable} {starts}"


def test_machine_and_versions_fit_into_tags() -> None:
    tags = provenance.provenance_tags()
    assert tags["s2s.version.python"] == ".".join(map(str, sys.version_info[:3]))
    assert float(tags["s2s.machine.memory_gb"]) > 0
    assert int(tags["s2s.machine.cores"]) >= 1
    assert all(isinstance(value, str) and value for value in tags.values())
