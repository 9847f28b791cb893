"""Who may import whom: the contracts stand in pyproject.toml, import-linter holds them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["--version"]])
def test_help_answers_within_a_second(words: list[str]) -> None:
    since = time.monotonic()
    result = subprocess.run([sys.executable, "-m", "s2s_lit", *words], capture_output=True, text=True, check=True)
    assert time.monotonic() - since < 1.0
    assert "s2s" in result.stdout


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, s2s_lit.__main__ as program; program.make_parser(); print(','.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split(",")
    assert not {"torch", "lightning", "mlflow", "datasets", "optuna"} & set(loaded)
