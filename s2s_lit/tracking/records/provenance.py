"""Where a run comes from: code, command, versions, machine. Needs neither a repository nor git."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import psutil

from s2s_lit.processes import OURS, launched

COMMAND_TAG = "s2s.command"
"""Tag with the command that repeats the run."""

_PACKAGES = (
    "s2s-lit",
    "torch",
    "lightning",
    "torchmetrics",
    "mlflow",
    "optuna",
    "datasets",
    "sentencepiece",
    "sacrebleu",
)
_MAX_DIFF, _MAX_NAMES = 1_000_000, 200
_DIFF = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/")
"""As `git apply` takes it, whatever the user has configured for his eyes."""
_CODE = (".py", ".yaml", ".yml", ".toml")


def _git(*arguments: str, directory: Path, status: int = 0) -> str | None:
    """Git's answer, None when it ends with another status: no git, no repository or no commit. Takes no lock."""
    command = ["git", "--no-optional-locks", "-C", str(directory), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    # Decoded here, for `text=True` would make line feeds of a file's carriage returns.
    return done.stdout.decode(errors="replace") if done.returncode == status else None


def git_state(directory: Path | None = None) -> dict[str, str]:
    """`commit` and `dirty` (`true`, `false`) of the repository around `directory`; empty outside one."""
    directory = directory or Path.cwd()
    commit = _git("rev-parse", "HEAD", directory=directory)
    changes = _git("status", "--porcelain", directory=directory)
    if commit is None or changes is None:
        return {}
    return {"commit": commit.strip(), "dirty": "true" if changes.strip() else "false"}


def git_diff(directory: Path | None = None) -> str:
    """What differs from the commit, as `git apply` takes it, at most 1 MB; empty when nothing does.

    Untracked files are named first. Code and configuration among them are new files of the diff; what else lies about
    (data, keys) is nobody's to upload.
    """
    top = _git("rev-parse", "--show-toplevel", directory=directory or Path.cwd())
    if top is None:
        return ""
    root = Path(top.rstrip("\n"))
    listed = (_git("ls-files", "-z", "--others", "--exclude-standard", directory=root) or "").split("\0")
    untracked = [name for name in listed if name][:_MAX_NAMES]
    changed = _git(*_DIFF, "--binary", "HEAD", directory=root) or ""
    if len(changed) > _MAX_DIFF:  # a large file that is no text must not displace the code
        changed = _git(*_DIFF, "HEAD", directory=root) or ""
    text = "".join(f"# untracked: {name}\n" for name in untracked) + changed
    for name in untracked:
        file = root / name
        if file.suffix in _CODE and file.is_file() and file.stat().st_size <= _MAX_DIFF - len(text):
            text += _git(*_DIFF, "--no-index", "--", os.devnull, name, directory=root, status=1) or ""
    return text if len(text) <= _MAX_DIFF else text[:_MAX_DIFF] + "\n# cut here\n"


def command(words: Sequence[str] | None = None) -> str:
    """The command line to repeat this process, or to run the program with these words; quoted for a shell.

    What `torchrun` has started it starts again, on each machine. The number of threads decides the last digits, so it
    is in it where it was given.
    """
    again = sys.orig_argv
    if words is not None or _torchrun():
        again = [sys.executable, *_torchrun(), "-m", "s2s_lit", *(sys.argv[1:] if words is None else words)]
    line = shlex.join(again)
    threads = os.environ.get("OMP_NUM_THREADS")
    return f"OMP_NUM_THREADS={shlex.quote(threads)} {line}" if threads else line


def _torchrun() -> list[str]:
    """The module, with its options, that starts as many processes again; empty where the program does so itself."""
    if not launched() or os.environ["TORCHELASTIC_RUN_ID"] == OURS:
        return []
    machines, each = os.environ["GROUP_WORLD_SIZE"], os.environ["LOCAL_WORLD_SIZE"]
    meet = ["--nnodes", machines, "--rdzv-backend", "c10d", "--rdzv-endpoint", "HOST:PORT"]
    among = ["--standalone"] if machines == "1" else meet
    return ["-m", "torch.distributed.run", *among, "--nproc-per-node", each]


def versions() -> dict[str, str]:
    """Python's version and those of the packages that decide what comes out."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str]:
    """Processor, usable cores, memory, GPUs, operating system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "cpu": _cpu_model(),
        "cores": str(cores),
        "memory_gb": f"{psutil.virtual_memory().total / 1e9:.1f}",
        "gpus": ", ".join(_gpus()) or "none",
        "os": platform.platform(),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def _gpus() -> list[str]:
    torch = sys.modules.get("torch")  # whoever trains has it; nobody else should wait for it
    if torch is None or not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


def provenance_tags(directory: Path | None = None, *, words: Sequence[str] | None = None) -> dict[str, str]:
    """All of the above as tags of a run; MLflow's own names where its UI has a place for them.

    `words` repeat the run where this process's own command line does not.
    """
    git = git_state(directory)
    tags = {COMMAND_TAG: command(words), "mlflow.source.name": " ".join(sys.argv[:2]), "mlflow.source.type": "LOCAL"}
    if git:
        tags |= {"mlflow.source.git.commit": git["commit"], "s2s.git.dirty": git["dirty"]}
    tags |= {f"s2s.version.{name}": version for name, version in versions().items()}
    return tags | {f"s2s.machine.{name}": value for name, value in machine().items()}


def resumed_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The same under `s2s.resumed.`: where a run went on, beside where it began."""
    return {f"s2s.resumed.{key.removeprefix('s2s.').removeprefix('mlflow.source.')}": tags[key] for key in tags}
