"""An attention and a task are added as CONTRIBUTING says: a block of code in one file each, and no other change."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.tiny import TINY

ROOT = Path(__file__).parents[2]
COPIED = ["s2s_lit", "experiments", "tests", "pyproject.toml"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project and, as all that is new in it, the files of the recipes."""
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipes = re.findall(r"One file, `(s2s_lit/[\w/]+\.py)`.*?```python\n(.*?)```", text, re.DOTALL)
    assert [path.split("/")[1] for path, _ in recipes] == ["nn", "tasks"]
    for path, code in recipes:
        assert not (folder / path).exists()
        (folder / path).write_text(code, encoding="utf-8")
    return folder


def run(folder: Path, *words: str) -> str:
    """What a module of Python says, which imports the package from `folder`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_program_trains_it_by_name(copy: Path) -> None:
    run(copy, "s2s_lit", "train", "bilstm", *TINY, "--model.decoder.attention=CosineAttention")
    (config,) = {path.read_text(encoding="utf-8") for path in copy.rglob("config.yaml")}
    assert "s2s_lit.nn.attention.cosine.CosineAttention" in config


def test_the_laws_find_it(copy: Path) -> None:
    said = run(copy, "pytest", "-q", "tests/contracts/test_attention_laws.py", "-k", "CosineAttention")
    passed = re.search(r"(\d+) passed", said)
    assert passed, said
    assert int(passed[1]) >= 10
    assert "failed" not in said


def test_the_program_trains_the_task_and_keeps_its_best_by_its_headline(copy: Path) -> None:
    tiny = [word for word in TINY if "max_epochs" not in word]
    said = run(copy, "s2s_lit", "train", "lstm", *tiny, "--trainer.max_epochs=1", "--task=HeadlineTask")
    assert "ROUGE-L" in said
    assert "val/rougeL" in said
    assert "BLEU" not in said
