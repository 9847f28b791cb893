"""DATA_DIR alone is enough: a folder is looked at, written as a data file, and composed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from s2s_lit.__main__ import main
from s2s_lit.config.experiments import files_of
from s2s_lit.config.own_data import data_file_for, with_folder
from s2s_lit.config.yaml_files import read_mapping
from s2s_lit.errors import UserError

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
PAIRS = "".join(f"the dog {i}\tder Hund {i}\n" for i in range(60))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, the working directory, with data beside it."""
    (tmp_path / "project").mkdir()
    shutil.copytree(EXPERIMENTS, tmp_path / "project" / "experiments")
    (tmp_path / "my data [1]").mkdir()
    (tmp_path / "my data [1]" / "pairs.tsv").write_text(PAIRS)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "my data [1]"


def test_one_setting_composes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "lstm", "--data_dir", "../my data [1]", "--print_config"]
    assert main(command) == 0
    printed = capsys.readouterr()
    assert "dataset: my_data_1" in printed.out
    assert "class_path: s2s_lit.data.sources.splitting.HashSplit" in printed.out
    assert "tab-separated text without a header; source '0', target '1'; train (pairs.tsv)" in printed.err
    assert "Written to experiments/data/my_data_1.yaml, which can be edited: DATA=my_data_1" in printed.err
    written = Path("experiments/data/my_data_1.yaml").read_text()
    assert written.startswith(f"# {place}: tab-separated text")
    assert main(command) == 0
    again = capsys.readouterr()
    assert again.out == printed.out
    assert "is read as experiments/data/my_data_1.yaml says" in again.err
    assert main(["train", "lstm", "--dataset", "my_data_1", "--print_config"]) == 0
    assert capsys.readouterr().out == printed.out


def test_what_was_edited_stays(place: Path) -> None:
    name = data_file_for(str(place), [])
    file = Path("experiments/data") / f"{name}.yaml"
    file.write_text(file.read_text().replace("seed: 0", "seed: 5"))
    assert data_file_for(str(place), []) == name
    assert "seed: 5" in file.read_text()


def test_another_folder_of_the_same_name_has_a_file_of_its_own(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / place.name
    shutil.copytree(place, other)
    Path("experiments/data/broken.yaml").write_text("a: [\n")
    names = [data_file_for(str(folder), []) for folder in (place, other, place)]
    assert names == ["my_data_1", "my_data_1_2", "my_data_1"]
    assert read_mapping(Path("experiments/data/my_data_1_2.yaml"))


@pytest.mark.parametrize(
    "words", [["--data.columns.source=0", "--data.columns.target=1"], ["--data.columns.source", "0"]]
)
def test_the_command_line_answers_what_was_asked(place: Path, words: list[str]) -> None:
    (place / "pairs.tsv").write_text("".join(f"dog{i}\tHund{i}\n" for i in range(60)))
    with pytest.raises(UserError, match=r"say so: --data\.columns\.source=dog0 --data.columns.target=Hund0"):
        data_file_for(str(place), [])
    assert data_file_for(str(place), words) == "my_data_1"


def test_data_that_reads_files_reads_those_of_the_folder(place: Path) -> None:
    assert with_folder(str(place), "mixed", ["--seed=1"]) == ("mixed", ["--seed=1", f"--data.corpus.data_dir={place}"])
    assert with_folder(None, "builtin", []) == ("builtin", [])
    assert main(["train", "lstm", "--dataset", "mixed", "--data_dir", str(place), "--print_config"]) == 0


@pytest.mark.parametrize("name", ["...", "日本", "a'b", "-x", "x" * 200])
def test_the_name_of_the_file_is_one_that_can_be_given(place: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    shutil.copytree(place, folder)
    file = data_file_for(str(folder), [])
    assert read_mapping(files_of("lstm", file)[1])
