"""A name is the name of one thing: whatever a person gives, nothing is written outside of the project's places."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s_lit.__main__ import main
from s2s_lit.checks import single_name
from s2s_lit.config.compose import compose, from_yaml, to_yaml
from s2s_lit.errors import UserError
from s2s_lit.tracking.run_folder import run_folder

BAD = [
    *("", " ", ".", "..", "../x", "/etc/x", "a/b", "a\\b", "a\nb", "a\x00b", "a\x7fb", "a\u200bb", "\udcff"),
    *("l'anglais", 'a"b', "a`b", "ü" * 101),
]
GOOD = ["lstm", "two words", "ünïcode", "a.b", "...", "-x", "x" * 200, "日本語"]


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_name_is_refused_with_its_variable(name: str) -> None:
    with pytest.raises(UserError, match=r"^EXP"):
        single_name("EXP", name)


@pytest.mark.parametrize("name", GOOD)
def test_what_a_file_can_be_called_is_a_name(name: str) -> None:
    assert single_name("EXP", name) == name


@given(st.text(max_size=60))
def test_what_is_accepted_stays_within_its_folder(name: str) -> None:
    try:
        accepted = single_name("EXP", name)
    except UserError:
        return
    assert (Path("runs") / accepted).resolve().parent == Path("runs").resolve()


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "a'b", "a\nb"])
@pytest.mark.parametrize(
    ("words", "variable"),
    [
        (["train", "{}"], "EXP"),
        (["train", "lstm", "--dataset={}"], "DATA"),
        (["train", "lstm", "--experiment={}"], "experiment"),
        (["sweep", "{}"], "SWEEP"),
        (["sweep", "s", "--study={}"], "--study"),
        (["register", "latest", "{}"], "NAME"),
        (["register", "latest", "de", "--alias={}"], "ALIAS"),
        (["register", "latest", "de", "--split={}"], "SPLIT"),
        (["evaluate", "latest", "--split={}"], "SPLIT"),
        (["compare", "latest", "--split={}"], "SPLIT"),
    ],
)
def test_every_verb_refuses_what_is_no_name_and_writes_nothing(
    name: str,
    words: list[str],
    variable: str,
    in_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    here = tmp_path / "deep" / "down"
    here.mkdir(parents=True)
    (here / "experiments").symlink_to(in_project / "experiments")
    monkeypatch.chdir(here)
    assert main([word.format(name) for word in words]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"s2s: error: {variable}")
    assert {file.name for file in tmp_path.rglob("*")} == {"deep", "down", "experiments"}


def test_a_strange_checkpoint_or_store_names_no_other_place(in_project: Path) -> None:
    text = to_yaml(compose("lstm", "builtin", [])).replace("experiment: lstm", "experiment: ../../x")
    with pytest.raises(UserError, match=r"^experiment=\.\./\.\./x: a name, not a path"):
        from_yaml(text)
    with pytest.raises(UserError, match="a name, not a path"):
        run_folder("../../x", "1")
