"""What a person gives to make reaches the program as it was typed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "Makefile"
NASTY = ["two words; touch broken", "$(touch broken) $HOME `touch broken`", "a'b\"c", "* && touch broken"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the Makefile, and a program that writes the words it is given."""
    shutil.copy(MAKEFILE, tmp_path)
    (tmp_path / ".venv").mkdir()
    for name in ("pyproject.toml", "constraints.txt", ".venv/.ready"):
        (tmp_path / name).touch()
    show = tmp_path / "show.py"
    show.write_text("import json, pathlib, sys\npathlib.Path('words.json').write_text(json.dumps(sys.argv[1:]))\n")
    return tmp_path


def words(project: Path, *given: str) -> list[str]:
    command = ["make", *given, f"S2S={sys.executable} show.py"]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=60)
    assert not (project / "broken").exists()
    found: list[str] = json.loads((project / "words.json").read_text())
    return found


@pytest.mark.parametrize("value", NASTY)
def test_a_value_is_one_word_as_it_was_typed(value: str, project: Path) -> None:
    for given, expected in {
        ("train", "EXP"): ["train", value, "--dataset", "builtin"],
        ("train", "DATA"): ["train", "bilstm_attn", "--dataset", value],
        ("train", "DATA_DIR"): ["train", "bilstm_attn", "--dataset", "builtin", "--data_dir", value],
        ("train", "DEVICES"): ["train", "bilstm_attn", "--dataset", "builtin", f"--trainer.devices={value}"],
        ("resume", "RUN"): ["resume", value],
        ("resume", "DATA"): ["resume", "latest", "--dataset", value],
        ("evaluate", "SPLIT"): ["evaluate", "latest", "--split", value],
        ("evaluate", "DATA_DIR"): ["evaluate", "latest", "--split", "test", "--data_dir", value],
        ("translate", "TEXT"): ["translate", "latest", f"--text={value}"],
        ("generate", "PREFIX"): ["generate", "latest", f"--prefix={value}"],
        ("generate", "OUT"): ["generate", "latest", "--out", value],
        ("score", "IN"): ["score", "latest", "--in", value],
        ("score", "OUT"): ["score", "latest", "--out", value],
        ("parts", "NAME"): ["parts", value],
        ("neighbours", "WORD"): ["neighbours", "latest", f"--word={value}"],
        ("sweep", "SWEEP"): ["sweep", value],
        ("sweep", "STORAGE"): ["sweep", "--storage", value],
        ("sweep", "TRIALS"): ["sweep", "--trials", value],
        ("register", "NAME"): ["register", "latest", value, "--split", "test"],
        ("sweep-doctor", "STORAGE"): ["sweep-doctor", "--storage", value],
        ("dashboard", "PORT"): ["dashboard", "--port", value],
        ("sync", "RUN"): ["sync", value],
        ("ui", "PORT"): ["ui", "--port", value],
    }.items():
        target, name = given
        assert words(project, target, f"{name}={value}") == expected, given


@pytest.mark.parametrize("verb", ["translate", "score"])
def test_several_runs_are_several_words_and_nothing_else(verb: str, project: Path) -> None:
    assert words(project, verb, "RUN=one two") == [verb, "one", "two"]
    assert words(project, verb, "RUN=x; touch broken") == [verb, "x;", "touch", "broken"]
    assert words(project, verb, "RUN=* $HOME $(touch broken)") == [verb, "*", "$HOME", "$(touch", "broken)"]
    assert words(project, "compare", "RUNS=one `two` *") == ["compare", "one", "`two`", "*", "--split", "test"]


def test_args_are_words_of_the_shell(project: Path) -> None:
    given = words(project, "resume", "ARGS=--one 'two words' --three=\"4 5\"")
    assert given == ["resume", "latest", "--one", "two words", "--three=4 5"]


def test_what_is_not_given_is_not_said(project: Path) -> None:
    assert words(project, "sync") == ["sync"]
    assert words(project, "sweep") == ["sweep"]
    assert words(project, "parts") == ["parts"]
    for missing, hint in {"compare": "RUNS=", "register": "NAME="}.items():
        ended = subprocess.run(["make", missing], cwd=project, capture_output=True, text=True, check=False, timeout=60)
        assert ended.returncode == 2
        assert hint in ended.stderr
